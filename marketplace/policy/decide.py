"""The one decision function, and how features tell it what an actor is to an object."""

from functools import singledispatch

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import DomainError, Forbidden, NotFound, Unauthenticated
from marketplace.policy.permissions import GRANTS, Permission


@singledispatch
def relations_of(subject: object, actor: Actor) -> frozenset[str]:
    """What `actor` is to `subject` (owner, buyer, designer, manager, maker...); features register theirs.

    A type that nobody registered has no relations, so nothing on it is allowed.
    """
    del subject, actor
    return frozenset()


def refusal(actor: Actor, permission: Permission, subject: object | None = None) -> DomainError | None:
    """Why `actor` may not use `permission` (on `subject`), or None when it may."""
    if permission is Permission.PUBLIC:
        return None
    if not actor.signed_in:
        return Unauthenticated("sign_in_required", "Please sign in first.")
    grant = GRANTS[permission]
    if actor.role not in grant.roles or (grant.admin and not actor.is_admin):
        return Forbidden("forbidden", "Your role does not allow this.")
    if actor.scopes is not None and permission.value not in actor.scopes and "all" not in actor.scopes:
        return Forbidden("scope_missing", "This token does not carry the needed scope.")
    if grant.confirmed and not actor.confirmed:
        return Forbidden("email_unconfirmed", "Please confirm your e-mail address first; we sent you a link.")
    if grant.approved and not actor.approved:
        return Forbidden("not_approved", "Your business has not been approved yet. We will write to you when it is.")
    if subject is not None and grant.relations and relations_of(subject, actor).isdisjoint(grant.relations):
        return NotFound()
    return None


def allowed(actor: Actor, permission: Permission, subject: object | None = None) -> bool:
    """Whether `actor` may use `permission`; templates ask this as `can(...)`."""
    return refusal(actor, permission, subject) is None


def require(actor: Actor, permission: Permission, subject: object | None = None) -> None:
    """Raise the refusal, if there is one."""
    found = refusal(actor, permission, subject)
    if found is not None:
        raise found
