"""What is told of a mail."""

from pydantic import BaseModel

from ai_pipeline.imaging.report import Reading


class Letter(BaseModel):
    """A mail as far as it matters. Addresses are lower case; everything here is the sender's claim, not the truth.

    `spf` and `dkim` are what the receiving service noted ("pass", "fail", "" when it noted nothing or more than once);
    `signed_by` are the domains of the signatures. `automatic` names the header that says that no person wrote it.
    """

    senders: list[str]
    message_id: str = ""
    spf: str = ""
    dkim: str = ""
    signed_by: list[str] = []
    automatic: str = ""
    text: str = ""
    too_long: bool = False
    attachments: int = 0
    reading: Reading | None = None
