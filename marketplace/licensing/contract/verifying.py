"""Whether a document is one that was signed here: by the code of its certificate or by the fingerprint of its file.

Asked by anybody, through the database function `verify_document`, which sees past row security and says nothing of
parties, design or terms.
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
    """A document of ours. `sealed_copy`: what was shown is the sealed copy, or the code was given; false is the draft.

    `number` is the agreement's. `in_force`: a running license, or an amendment of one.
    """

    kind: str
    number: str
    signed_at: datetime | None
    sealed_at: datetime | None
    signers: int
    sealed_copy: bool
    in_force: bool

    def said(self) -> dict[str, Any]:
        """What may be told."""
        return asdict(self)


def find(session: Session, *, code: str | None = None, sha256: str | None = None) -> Found | None:
    """The document, or None when there is none with this code or fingerprint."""
    digest = (sha256 or "").strip().lower()
    plain = plain_code(code or "")[:40]
    if not plain and not _SHA256.fullmatch(digest):
        return None
    row = session.execute(_FIND, {"code": plain or None, "sha256": None if plain else digest}).mappings().one_or_none()
    return Found(**row) if row else None
