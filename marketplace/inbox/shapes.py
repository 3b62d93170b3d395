"""The shapes of the inbox's forms."""

from typing import Literal

from pydantic import BaseModel


class MailForm(BaseModel):
    """How often mails about negotiations come."""

    threads: Literal["immediate", "daily", "off"]
