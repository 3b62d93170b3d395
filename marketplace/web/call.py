"""What every view receives as its first argument."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, has_app_context
from sqlalchemy.orm import Session

from marketplace.config import Settings
from marketplace.kernel.actor import ANONYMOUS, Actor
from marketplace.policy.decide import allowed
from marketplace.policy.permissions import Permission
from marketplace.services import Services


@dataclass(slots=True)
class Call:
    """One request: the transaction it runs in, who makes it, and the gateways."""

    session: Session
    actor: Actor
    services: Services

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.services.settings

    @property
    def org_id(self) -> str:
        """The organization the actor acts for; only for routes that need a signed-in member."""
        if self.actor.org_id is None:
            raise RuntimeError("this route does not require an organization")
        return self.actor.org_id

    @property
    def user_id(self) -> str:
        """The signed-in person; only for routes that need one."""
        if self.actor.user_id is None:
            raise RuntimeError("this route does not require a signed-in person")
        return self.actor.user_id


@dataclass(frozen=True, slots=True)
class AfterCommit:
    """What a view returns when the rest needs a vendor: committed first, then `run` outside of any transaction.

    `run` opens units of work of its own (`unit_of_work(call.services.engine, call.actor)`) and returns a response.
    """

    run: Callable[[], Any]


#: Loads the subject of a route from its URL arguments; scoped to the actor, raises NotFound otherwise.
Loader = Callable[..., Any]


def services() -> Services:
    """The gateways of the running application."""
    found: Services = current_app.extensions["services"]
    return found


def current_actor() -> Actor:
    """Who makes the current request; anonymous before authentication and outside of one."""
    return g.get("actor", ANONYMOUS) if has_app_context() else ANONYMOUS


def can(permission: str, subject: object | None = None) -> bool:
    """`can('org:design:edit', design)` for templates."""
    return allowed(current_actor(), Permission(permission), subject)
