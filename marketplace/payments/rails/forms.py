"""Forms of the bank-file rail."""

from typing import Literal

from pydantic import Field

from marketplace.payments.rails.rules import RETURN_REASONS
from marketplace.web.forms import Form


class BankForm(Form):
    """A payee's bank account. `password` is asked when it was not typed lately."""

    holder: str = Field(max_length=70)
    number: str = Field(max_length=60)
    bic: str = Field(max_length=20)
    password: str = Field(default="", max_length=200)


class StartForm(Form):
    """The currency of a new file."""

    currency: str = Field(pattern="^[A-Z]{3}$")


class PasswordForm(Form):
    """Proof that it is the person who signed in."""

    password: str = Field(default="", max_length=200)


class MarkForm(Form):
    """What the bank says of some payments."""

    items: list[str] = Field(default_factory=list, max_length=1000)
    outcome: Literal["execute", "return"]
    reason: str = Field(default="", max_length=4)

    def code(self) -> str:
        """The reason of a return, NARR when none of the known ones was named."""
        return self.reason if self.reason in RETURN_REASONS else "NARR"
