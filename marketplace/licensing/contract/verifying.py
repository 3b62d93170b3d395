"""Whether a document is one that was signed here: by the fingerprint of its file, by the code of its certificate.

Asked by anybody, through the database function `verify_document`, which sees past row security and says nothing of
parties, design or terms. A code proves nothing about a file: anybody can print a genuine one on another document. So
with both the file must be the one that the code belongs to, and with a code alone the answer is the file's fingerprint.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.licensing.contract.certificate import plain_code

#: How often one network may ask.
RATE = "120 per minute"
_FIND = text("select * from verify_document(:code, :sha256)")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Found:
    """A document of ours. `by_file`: its bytes were compared; without them nothing is said of any file.

    `sealed_copy`: what was shown is the sealed copy, or the code alone was given; false is the draft. `number` is the
    agreement's. `in_force`: a running license, or an amendment of one. `sealed_sha256`: the sealed copy's fingerprint.
    """

    kind: str
    number: str
    signed_at: datetime | None
    sealed_at: datetime | None
    signers: int
    sealed_copy: bool
    in_force: bool
    sealed_sha256: str | None
    by_file: bool

    def said(self) -> dict[str, Any]:
        """What may be told."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, if anything. `other_file`: the code is one of ours, but the file is not its document."""

    found: Found | None
    other_file: bool = False


def check(session: Session, *, code: str | None = None, sha256: str | None = None) -> Answer:
    """Look up a document by its code, by its file's SHA-256 (hex), or by both, which then have to be of one document.

    In one statement, or two when both are given.
    """
    digest = (sha256 or "").strip().lower()
    plain = plain_code(code or "")[:40]
    by_code = _row(session, plain, None) if plain else None
    if not digest or (plain and by_code is None):
        return Answer(_found(by_code, by_file=False) if by_code else None)
    by_file = _row(session, None, digest) if _SHA256.fullmatch(digest) else None
    if by_code is not None and (by_file is None or by_file["paper"] != by_code["paper"]):
        return Answer(None, other_file=True)
    return Answer(_found(by_file, by_file=True) if by_file else None)


def _row(session: Session, code: str | None, sha256: str | None) -> dict[str, Any] | None:
    row = session.execute(_FIND, {"code": code, "sha256": sha256}).mappings().one_or_none()
    return dict(row) if row else None


def _found(row: dict[str, Any], *, by_file: bool) -> Found:
    return Found(**{name: value for name, value in row.items() if name != "paper"}, by_file=by_file)
