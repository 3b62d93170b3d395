"""Input and output of NDA, CAD link and workshop profile."""

from pydantic import Field, field_validator

from marketplace.web.forms import Body, Form


class SignForm(Form):
    """Signing: the typed name, the agreement, and the hash of the text that was shown."""

    typed_name: str = Field(min_length=1, max_length=200)
    agree: bool = Field(default=False, validate_default=True)
    sha256: str = Field(min_length=64, max_length=64)

    @field_validator("agree")
    @classmethod
    def _agreed(cls, value: bool) -> bool:
        if not value:
            raise ValueError("Please confirm that you have read and agree.")
        return value


class SignIn(Body):
    """Signing by API."""

    typed_name: str = Field(min_length=1, max_length=200)
    agree: bool = Field(default=False, validate_default=True)
    sha256: str = Field(pattern="^[0-9a-fA-F]{64}$")

    @field_validator("agree")
    @classmethod
    def _agreed(cls, value: bool) -> bool:
        if not value:
            raise ValueError("Please confirm that you have read and agree.")
        return value


class ClauseForm(Form):
    """A new version of the NDA, with an optional clause of the designer's."""

    clause: str = Field(default="", max_length=2000)


class LinkForm(Form):
    """Which file."""

    asset: str = Field(min_length=1, max_length=40)


class LinkIn(Body):
    """Which file."""

    asset: str = Field(min_length=1, max_length=40)


class CopyOut(Body):
    """A person's own copy of a CAD file. `state`: preparing, ready, fetched, failed or void; `sha256` is its own."""

    id: str
    asset: str
    filename: str
    state: str
    progress: int
    sha256: str | None
    level: str | None
    original_sha256: str
    nda_version: int
    asked_at: str
    fetched_at: str | None


class LinkOut(Body):
    """A link for one download of `cad_copy`; fetch `url` with GET before `expires_at`.

    While the copy is being prepared (202) both are null: ask again in a second or two.
    """

    url: str | None
    expires_at: str | None
    cad_copy: CopyOut


class NdaOut(Body):
    """The text in force, in one language. Sign by echoing `sha256`."""

    text: str
    version: int
    sha256: str
    language: str
    governing_language: str
    languages: list[str]
    signed: bool
    revoked: bool


class SignatureOut(Body):
    """A signature under one exact text."""

    id: str
    version: int
    sha256: str
    language: str
    typed_name: str
    signed_at: str


class ProfileForm(Form):
    """What a workshop says of itself to production managers."""

    about: str = Field(default="", max_length=2000)
    metals: list[str] = Field(default=[], max_length=30)
    techniques: str = Field(default="", max_length=500)
    min_pieces: int | None = Field(default=None, ge=1, le=100_000)
    lead_days: int | None = Field(default=None, ge=1, le=730)
    certificates: str = Field(default="", max_length=500)
