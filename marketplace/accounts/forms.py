"""Input of the account pages and calls."""

import unicodedata
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, field_validator

from marketplace.accounts.queries import time_zones
from marketplace.web.forms import Body, Form

#: Joiners that words of Persian and of India need; all other characters that are not seen are refused in names.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


def _plain_email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError("Write an e-mail address such as name@example.com.") from error


def _plain_name(value: str) -> str:
    """A name without characters that are not seen but turn around or hide what stands beside them (NEG-09)."""
    if any(unicodedata.category(c) in _UNSEEN and c not in _JOINERS for c in value):
        raise ValueError("The name holds hidden control characters; type it anew.")
    return unicodedata.normalize("NFC", value)


def _known_zone(value: str) -> str:
    if value and value not in time_zones():
        raise ValueError("Choose one of the offered values.")
    return value


Email = Annotated[str, Field(max_length=254), AfterValidator(_plain_email)]
Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_plain_name)]


class SignUpForm(Form):
    """Joining with a new organization."""

    role: Literal["designer", "buyer", "manufacturer", "production_manager"]
    name: Name
    email: Email
    password: str = Field(min_length=1, max_length=1000)
    business_name: Name
    address: str = Field(min_length=5, max_length=600)
    country: str = Field(min_length=2, max_length=2, pattern="^[A-Z]{2}$")
    adult: bool = False
    terms: bool = False

    @field_validator("adult")
    @classmethod
    def _adult(cls, value: bool) -> bool:
        if not value:
            raise ValueError("You must be 18 or older.")
        return value

    @field_validator("terms")
    @classmethod
    def _terms(cls, value: bool) -> bool:
        if not value:
            raise ValueError("Please accept the terms.")
        return value

    model_config = Form.model_config | {"validate_default": True}


class SignInForm(Form):
    """Signing in."""

    email: str = Field(min_length=1, max_length=320)
    password: str = Field(min_length=1, max_length=1000)
    next: str = ""


class EmailForm(Form):
    """One address."""

    email: Email


class PasswordForm(Form):
    """A new password by link."""

    token: str = Field(min_length=1, max_length=2000)
    password: str = Field(min_length=1, max_length=1000)


class AcceptForm(PasswordForm):
    """Joining by invitation."""

    name: str = Field(default="", max_length=120)


class ProfileForm(Form):
    """Changing the own name and language."""

    name: Name
    locale: Literal["en", "zh_Hans", "zh_Hant"]
    time_zone: Annotated[str, Field(max_length=40), AfterValidator(_known_zone)] = ""


class TokenIn(Body):
    """Credentials for an API token; `scopes` default to everything the person may do."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=1000)
    totp: str | None = Field(default=None, max_length=10)
    scopes: list[str] = Field(default_factory=lambda: ["all"], max_length=50)
    expires_in_hours: int = Field(default=24, ge=1, le=24 * 90)


class Me(Body):
    """The caller."""

    id: str
    name: str
    email: str
    locale: str
    role: str
    organization: str
    organizations: list[dict[str, str]]


class TokenOut(Body):
    """A new token; shown once."""

    token: str
    expires_at: str
    actor: Me
