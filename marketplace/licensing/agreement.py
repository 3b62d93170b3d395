"""The values of the agreement document: parties, files, terms, clauses, signatures; in one or two languages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from marketplace.accounts.models import Organization
from marketplace.licensing.clauses import clauses
from marketplace.licensing.models import License, Negotiation, Signature
from marketplace.licensing.term_words import rows
from marketplace.licensing.vocabulary import country_names

TEMPLATE = "license"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agreement is made from. `second` is a Chinese locale when a party reads it or it governs, else None."""

    license: License
    negotiation: Negotiation
    designer: Organization
    buyer: Organization
    signatures: Sequence[Signature]
    second: str | None
    brand: str


def values(draft: Draft) -> dict[str, Any]:
    """The input of `documents/license.typ`; call it inside an application context."""
    held, snapshot = draft.license, draft.negotiation.snapshot
    both = _Both(draft.second)
    agreed = held.created_at.astimezone(UTC)
    return {
        "brand": draft.brand,
        "number": held.id,
        "second": draft.second.replace("_", "-")[:2] if draft.second else None,
        "title": both.first(lambda: _("License agreement")),
        "title_second": both.second(lambda: _("License agreement")),
        "agreed": both.first(lambda: _("Agreed on %(day)s UTC", day=f"{agreed:%Y-%m-%d %H:%M}")),
        "footer": held.terms_hash[:16],
        "words": {name: both.pair(word) for name, word in _WORDS.items()},
        "parties": [
            _party(draft.designer, both.pair(lambda: _("Designer"))),
            _party(draft.buyer, both.pair(lambda: _("Buyer"))),
        ],
        "design": {"id": held.design_id, "title": str(snapshot.get("title", ""))},
        "files": files(snapshot),
        "rows": _rows(held.terms, both),
        "clauses": _clauses(held.terms, both),
        "terms_hash": held.terms_hash,
        "document_sha256": held.document_sha256,
        "signatures": [_signature(draft, mark, both) for mark in draft.signatures],
    }


def files(snapshot: dict[str, Any]) -> list[dict[str, str]]:
    """Names and SHA-256 of the CAD files that were listed when the negotiation began."""
    found = snapshot.get("cad") or []
    return [{"filename": str(f.get("filename", f.get("id", ""))), "sha256": str(f["sha256"])} for f in found]


class _Both:
    """Says things in English and, when there is one, in the second language."""

    def __init__(self, second: str | None) -> None:
        self._second = second

    def first(self, say: Callable[[], str]) -> str:
        with force_locale("en"):
            return str(say())

    def second(self, say: Callable[[], str]) -> str | None:
        if self._second is None:
            return None
        with force_locale(self._second):
            return str(say())

    def pair(self, say: Callable[[], str]) -> dict[str, str | None]:
        return {"first": self.first(say), "second": self.second(say)}

    def lists(self, make: Callable[[], list[Any]]) -> list[tuple[Any, Any]]:
        with force_locale("en"):
            first = make()
        if self._second is None:
            return [(item, None) for item in first]
        with force_locale(self._second):
            return list(zip(first, make(), strict=True))


def _rows(terms: dict[str, Any], both: _Both) -> list[dict[str, Any]]:
    found = both.lists(lambda: list(rows(terms, binding=True)))
    return [
        {
            "label": {"first": first["label"], "second": second and second["label"]},
            "value": {"first": first["value"], "second": second and second["value"]},
        }
        for first, second in found
    ]


def _clauses(terms: dict[str, Any], both: _Both) -> list[dict[str, Any]]:
    found = both.lists(lambda: list(clauses(terms)))
    return [
        {
            "title": {"first": first[0], "second": second and second[0]},
            "text": {"first": first[1], "second": second and second[1]},
        }
        for first, second in found
    ]


def _party(org: Organization, role: dict[str, str | None]) -> dict[str, Any]:
    country = country_names("en").get(org.country, org.country)
    return {"role": role, "name": org.name, "address": org.address, "country": country}


def _signature(draft: Draft, mark: Signature, both: _Both) -> dict[str, Any]:
    designer = mark.side == "designer"
    lines = [
        (lambda: _("Time"), f"{mark.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        (lambda: _("Network address"), mark.ip or "–"),
        (lambda: _("Document signed (SHA-256)"), mark.document_sha256),
        (lambda: _("Signature number"), mark.id),
    ]
    return {
        "role": both.pair(lambda: _("Designer") if designer else _("Buyer")),
        "party": (draft.designer if designer else draft.buyer).name,
        "typed_name": mark.typed_name,
        "lines": [{"label": both.pair(label), "value": value} for label, value in lines],
    }


_WORDS: dict[str, Callable[[], str]] = {
    "parties": lambda: _("Parties"),
    "design": lambda: _("Design"),
    "file": lambda: _("CAD file"),
    "no_files": lambda: _("No CAD file is part of this agreement."),
    "terms": lambda: _("Terms"),
    "agreement": lambda: _("Agreement"),
    "terms_hash": lambda: _("Fingerprint of the terms (SHA-256)"),
    "signatures": lambda: _("Signatures"),
    "signed_document": lambda: _("Both sides signed the document with the fingerprint (SHA-256)"),
    "to_sign": lambda: _("To be signed by both sides"),
}
