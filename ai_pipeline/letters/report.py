"""What is told of a mail."""

from pydantic import BaseModel

from ai_pipeline.imaging.report import Reading


class LetterFile(BaseModel):
    """A file that was sent along, in the order of the mail; name and type are the sender's. `file` is its name in the
    output folder, "" for one that was not written: too large, or one too many.
    """

    name: str
    content_type: str
    size: int
    file: str


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
    files: list[LetterFile] = []
    reading: Reading | None = None
