"""API calls about the caller."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import operations, sessions
from marketplace.accounts.forms import Me, TokenIn, TokenOut
from marketplace.accounts.models import Membership, Organization, User
from marketplace.audit.operations import record
from marketplace.kernel.errors import Invalid
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.section import Api

api = Api("accounts")

_SCOPES = frozenset({"all", *(p.value for p in Permission)})


@api.call(
    "POST",
    "/tokens",
    needs=Permission.PUBLIC,
    body=TokenIn,
    returns=TokenOut,
    status=201,
    summary="Exchange credentials for a bearer token",
)
def create_token(call: Call, body: TokenIn) -> TokenOut:
    """A bearer token for the person; limited like signing in."""
    sessions.limit_guesses(body.email, call.actor.ip)
    unknown = set(body.scopes) - _SCOPES
    if unknown:
        raise Invalid("unknown_scope", "A scope is not known.", fields={"/scopes": "A scope is not known."})
    user, membership = operations.check_credentials(call.session, body.email, body.password)
    life = timedelta(hours=body.expires_in_hours)
    value, row = sessions.issue_token(call.session, user_id=user.id, scopes=body.scopes, life=life)
    record(call.session, call.actor, "account.token_issued", user.id, owner_org_id=membership.org_id)
    return TokenOut(token=value, expires_at=row.expires_at.isoformat(), actor=_me(call.session, user, membership))


@api.get("/me", needs=Permission.ACCOUNT, returns=Me, summary="Who the token belongs to")
def me(call: Call) -> Me:
    """The caller, with all organizations."""
    user = call.session.get_one(User, call.user_id)
    query = select(Membership).where(Membership.user_id == user.id, Membership.org_id == call.org_id)
    return _me(call.session, user, call.session.scalars(query).one())


def _me(session: Session, user: User, membership: Membership) -> Me:
    rows = session.execute(
        select(Organization.id, Organization.name, Organization.state, Membership.role)
        .join(Membership, Membership.org_id == Organization.id)
        .where(Membership.user_id == user.id)
        .order_by(Organization.name)
    )
    return Me(
        id=user.id,
        name=user.name,
        email=user.email,
        locale=user.locale,
        role=membership.role,
        organization=membership.org_id,
        organizations=[{"id": r.id, "name": r.name, "role": r.role, "state": r.state} for r in rows],
    )
