"""What the documents of a license say, as data: the agreement, its amendments, its termination.

It is put down once, when a document is drawn up, and kept (models.AgreementText): the signed document says the same,
whatever clauses, translations and names of parties are by then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from flask_babel import gettext as _

from marketplace.accounts.models import Organization
from marketplace.gateways.documents import Standard
from marketplace.licensing.contract.clauses import clauses
from marketplace.licensing.contract.clauses.addenda_2026_11 import amendment_clauses, termination_clauses
from marketplace.licensing.contract.clauses.clause import Clause
from marketplace.licensing.contract.languages import Both
from marketplace.licensing.models import Addendum, License, Negotiation
from marketplace.licensing.rules import SIGNS_FIRST, other
from marketplace.licensing.term_words import rows
from marketplace.licensing.vocabulary import country_names

TEMPLATE = "license"
#: What the documents are made to: PDF/A-2, tagged, and PDF/UA for screen readers.
STANDARDS: tuple[Standard, ...] = ("a-2a", "ua-1")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document is made from. `second` is a Chinese locale when a party reads it or it governs, else None."""

    license: License
    negotiation: Negotiation
    designer: Organization
    buyer: Organization
    second: str | None
    brand: str


def agreement(draft: Draft) -> dict[str, Any]:
    """The content of the agreement; call it inside an application context."""
    held, both = draft.license, Both(draft.second)
    agreed = held.created_at.astimezone(UTC)
    return _document(draft, both, SIGNS_FIRST) | {
        "title": both.pair(lambda: _("License agreement")),
        "intro": both.pair(lambda: _("Agreed on %(day)s UTC", day=f"{agreed:%Y-%m-%d %H:%M}")),
        "number": held.id,
        "footer": held.terms_hash[:16],
        "rows": both.rows(lambda: [{"label": r["label"], "value": r["value"]} for r in rows(held.terms, binding=True)]),
        "clauses": _clauses(both, lambda: clauses(held.clause_version, held.terms)),
        "terms_hash": held.terms_hash,
    }


def addendum(draft: Draft, row: Addendum) -> dict[str, Any]:
    """The content of an amendment or a termination; call it inside an application context."""
    held, both = draft.license, Both(draft.second)
    amends, new = row.terms is not None, row.terms or held.terms
    changed = [r for r in rows(new, held.terms, binding=True) if r["was"] is not None] if amends else []
    names = {r["name"] for r in changed}

    def table() -> list[dict[str, str | None]]:
        found = rows(new, held.terms, binding=True) if amends else []
        return [{"label": r["label"], "value": r["value"], "was": r["was"]} for r in found if r["name"] in names]

    title = (
        (lambda: _("Amendment %(number)s to the license agreement", number=row.number))
        if amends
        else (lambda: _("Termination of the license agreement"))
    )
    written: Callable[[], list[Clause]] = lambda: (  # noqa: E731 - said in two languages
        amendment_clauses() if amends else termination_clauses(row)
    )
    proposed = row.created_at.astimezone(UTC)
    return _document(draft, both, row.by_side, row.signers) | {
        "title": both.pair(title),
        "intro": both.pair(
            lambda: _(
                "To agreement %(number)s, proposed on %(day)s UTC",
                number=held.id,
                day=f"{proposed:%Y-%m-%d %H:%M}",
            )
        ),
        "number": row.id,
        "footer": (row.terms_hash or row.base_terms_hash)[:16],
        "rows": both.rows(table),
        "clauses": _clauses(both, written),
        "terms_hash": row.terms_hash or row.base_terms_hash,
        "amends": {"document_sha256": held.signed_document_sha256 or held.document_sha256, "terms": held.terms_hash},
        "reason": row.reason,
    }


def files(snapshot: dict[str, Any]) -> list[dict[str, str]]:
    """Names, versions and SHA-256 of the CAD files that were listed when the negotiation began."""
    found = snapshot.get("cad") or []
    return [
        {
            "filename": str(f.get("filename", f.get("id", ""))),
            "version": str(f.get("asset_id", "")),
            "sha256": str(f["sha256"]),
        }
        for f in found
    ]


def _document(draft: Draft, both: Both, first: str, signers: int = 2) -> dict[str, Any]:
    """What all documents have: brand, parties, the design's schedule, who signs in which order, words."""
    snapshot = draft.negotiation.snapshot
    roles = {"designer": both.pair(lambda: _("Designer")), "buyer": both.pair(lambda: _("Buyer"))}
    parties = {"designer": draft.designer, "buyer": draft.buyer}
    return {
        "brand": draft.brand,
        "second": draft.second.replace("_", "-") if draft.second else None,
        "words": {name: both.pair(word) for name, word in _WORDS.items()},
        "parties": [_party(parties[side], roles[side]) for side in ("designer", "buyer")],
        "order": [
            {"side": side, "role": roles[side], "name": parties[side].name} for side in (first, other(first))[:signers]
        ],
        "design": {"id": draft.license.design_id, "title": str(snapshot.get("title", ""))},
        "files": files(snapshot),
        "amends": None,
        "reason": None,
    }


def _clauses(both: Both, make: Callable[[], list[Clause]]) -> list[dict[str, Any]]:
    return both.rows(lambda: [clause._asdict() for clause in make()])


def _party(org: Organization, role: dict[str, str | None]) -> dict[str, Any]:
    country = country_names("en").get(org.country, org.country)
    return {"role": role, "name": org.name, "address": org.address, "country": country}


_WORDS: dict[str, Callable[[], str]] = {
    "parties": lambda: _("Parties"),
    "design": lambda: _("Schedule: design and files"),
    "file": lambda: _("CAD file"),
    "version": lambda: _("Version"),
    "no_files": lambda: _("No CAD file is part of this agreement."),
    "terms": lambda: _("Terms"),
    "changed": lambda: _("Changed terms"),
    "was": lambda: _("Until now"),
    "now": lambda: _("From now on"),
    "amends": lambda: _("Made to the document with the fingerprint (SHA-256)"),
    "reason": lambda: _("Reason given"),
    "agreement": lambda: _("Agreement"),
    "short": lambda: _("In short"),
    "short_note": lambda: _("The column on the right says it plainly and is not part of the agreement."),
    "terms_hash": lambda: _("Fingerprint of the terms (SHA-256)"),
    "signatures": lambda: _("Signatures"),
    "to_sign": lambda: _("To be signed, in this order"),
    "certificate": lambda: _("Certificate of signing"),
    "signed_document": lambda: _("Signed was the document with the fingerprint (SHA-256)"),
    "drawn": lambda: _("Drawn by hand"),
    "typed": lambda: _("Typed"),
    "time": lambda: _("Time"),
    "address": lambda: _("Network address"),
    "browser": lambda: _("Browser"),
    "method": lambda: _("How it was signed"),
    "proved": lambda: _("Password typed"),
    "disclosure": lambda: _("Told about signing electronically"),
    "signature": lambda: _("Signature number"),
    "log": lambda: _("Log of the signing"),
    "log_note": lambda: _("Each entry carries the fingerprint of the one before it, so none can be changed unseen."),
    "entry": lambda: _("Entry"),
    "event_drawn_up": lambda: _("Document drawn up"),
    "event_addendum_drawn_up": lambda: _("Document drawn up"),
    "event_signed": lambda: _("Signed"),
    "event_fully_signed": lambda: _("Signed by all"),
    "event_addendum_done": lambda: _("Signed by all"),
    "verify": lambda: _("Check this document"),
    "verify_note": lambda: _(
        "Open the address or scan the square, or give us the file: we say whether it is the one that was signed,"
        " without showing what it says."
    ),
    "code": lambda: _("Code"),
}
