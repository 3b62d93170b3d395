"""The certificate at the end of a signed document: who signed when and how, the log, and how to check it."""

from collections.abc import Sequence
from datetime import UTC
from io import BytesIO
from typing import Any

import segno

from marketplace.kernel.ids import new_code
from marketplace.licensing.contract.drawn import svg
from marketplace.licensing.models import Addendum, License, LicenseEvent, Signature

#: Events that belong to the signing of a document.
SIGNING = frozenset({"drawn_up", "addendum_drawn_up", "signed", "fully_signed", "addendum_done"})
_GROUP = 5


def signed_content(
    content: dict[str, Any],
    paper: License | Addendum,
    signatures: Sequence[Signature],
    log: Sequence[LicenseEvent],
    base_url: str,
) -> dict[str, Any]:
    """A document's kept content with its signatures and its certificate.

    `log` is the license's; only the entries about this document are shown.
    """
    addendum_id = paper.id if isinstance(paper, Addendum) else None
    parties = {step["side"]: step for step in content["order"]}
    url = f"{base_url}/verify/{paper.verify_code}"
    return content | {
        "document_sha256": paper.document_sha256,
        "signatures": [_signature(mark, parties[mark.side]) for mark in signatures],
        "certificate": {
            "code": spaced(paper.verify_code or ""),
            "url": url,
            "qr": _qr(url),
            "log": [_entry(event) for event in log if event.kind in SIGNING and event.addendum_id == addendum_id],
        },
    }


def fresh_code() -> str:
    """A code to find a signed document by; nobody guesses it."""
    return new_code(20)


def plain_code(given: str) -> str:
    """A code as it is kept, however it was typed: without spaces and hyphens, and with letters told from digits."""
    kept = "".join(given.split()).replace("-", "").upper()
    return kept.translate(str.maketrans("OIL", "011"))


def spaced(code: str) -> str:
    """A code in groups, easier to read and to type."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def _signature(mark: Signature, party: dict[str, Any]) -> dict[str, Any]:
    told = f"{mark.disclosure_version} · {mark.disclosure_sha256}" if mark.disclosure_version else None
    return {
        "role": party["role"],
        "party": party["name"],
        "typed_name": mark.typed_name,
        "drawing": svg(mark.drawn) if mark.drawn else None,
        "method": mark.method,
        "time": _moment(mark.at),
        "address": mark.ip or "–",
        "browser": mark.user_agent or "–",
        "proved": _moment(mark.proved_at) if mark.proved_at else None,
        "disclosure": told,
        "sha256": mark.document_sha256,
        "number": mark.id,
    }


def _entry(event: LicenseEvent) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "kind": event.kind,
        "side": event.side,
        "time": _moment(event.at),
        "previous": event.previous,
        "hash": event.hash,
    }


def _moment(at: Any) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _qr(text: str) -> str:
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False, dark="#1c1a17")
    return out.getvalue().decode()
