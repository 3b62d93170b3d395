"""Who is acting: a person in one organization, a job of the system, or nobody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ActorKind = Literal["person", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The identity every operation receives.

    `org_id` and `role` are of the organization the person acts for; `approved` tells whether that
    organization has been vetted, `confirmed` whether the person's e-mail address has been. `ip` and
    `request_id` go into the audit log. `proved_at` is when the password was last typed in this session.
    """

    kind: ActorKind
    user_id: str | None = None
    org_id: str | None = None
    org_kind: str | None = None
    role: str | None = None
    is_admin: bool = False
    approved: bool = False
    confirmed: bool = False
    name: str = ""
    email: str = ""
    org_name: str = ""
    locale: str = "en"
    ip: str | None = None
    request_id: str | None = None
    session_id: str | None = None
    scopes: frozenset[str] | None = None
    proved_at: datetime | None = None

    @property
    def signed_in(self) -> bool:
        """True for a person with a session or a token."""
        return self.kind == "person"


ANONYMOUS = Actor(kind="anonymous")


def system(name: str, *, request_id: str | None = None) -> Actor:
    """The actor of a background job or a command."""
    return Actor(kind="system", name=name, request_id=request_id)
