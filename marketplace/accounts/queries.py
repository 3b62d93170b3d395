"""Reading people and organizations."""

import zoneinfo
from collections.abc import Sequence
from functools import lru_cache

from babel import Locale
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from marketplace.accounts.models import Invitation, Membership, Organization, User
from marketplace.kernel.actor import Actor
from marketplace.web.paging import Page, page

# ISO 3166-1 alpha-2 codes of places we can do business in; the names come from CLDR.
_COUNTRIES = [
    "AE",
    "AR",
    "AT",
    "AU",
    "BE",
    "BG",
    "BH",
    "BR",
    "CA",
    "CH",
    "CL",
    "CN",
    "CO",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "EG",
    "ES",
    "FI",
    "FR",
    "GB",
    "GR",
    "HK",
    "HR",
    "HU",
    "ID",
    "IE",
    "IL",
    "IN",
    "IS",
    "IT",
    "JO",
    "JP",
    "KE",
    "KR",
    "KW",
    "LB",
    "LI",
    "LK",
    "LT",
    "LU",
    "LV",
    "MA",
    "MC",
    "MO",
    "MT",
    "MX",
    "MY",
    "NG",
    "NL",
    "NO",
    "NZ",
    "OM",
    "PE",
    "PH",
    "PK",
    "PL",
    "PT",
    "QA",
    "RO",
    "RS",
    "SA",
    "SE",
    "SG",
    "SI",
    "SK",
    "TH",
    "TN",
    "TR",
    "TW",
    "TZ",
    "UA",
    "US",
    "UY",
    "VN",
    "ZA",
]


@lru_cache(maxsize=8)
def countries(locale: str) -> list[tuple[str, str]]:
    """(code, name) of every country, by name in that language."""
    names = Locale.parse(locale).territories
    return sorted(((code, names.get(code, code)) for code in _COUNTRIES), key=lambda pair: pair[1])


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Names of time zones a person can be in: places, not the abbreviations kept for old programs."""
    return frozenset(name for name in zoneinfo.available_timezones() if "/" in name and len(name) <= 40) | {"UTC"}


def zone_of(session: Session, user_id: str) -> str | None:
    """The person's time zone, if it is known."""
    return session.scalars(select(User.time_zone).where(User.id == user_id)).one_or_none()


def members(session: Session, org_id: str) -> Sequence[Membership]:
    """The people of an organization, first come first."""
    query = (
        select(Membership)
        .where(Membership.org_id == org_id)
        .options(selectinload(Membership.user))
        .order_by(Membership.created_at)
        .limit(200)
    )
    return session.scalars(query).all()


def colleague(session: Session, org_id: str, user_id: str) -> User | None:
    """A member of the organization who can sign in, or None."""
    query = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id == org_id, User.id == user_id, User.suspended_at.is_(None))
    )
    return session.scalars(query).one_or_none()


def member_actor(session: Session, user_id: str, org_id: str, *, request_id: str | None = None) -> Actor | None:
    """The member as who would be acting for the organization now, for what they sent from elsewhere; None for nobody
    who can sign in.
    """
    query = (
        select(User, Membership, Organization)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.org_id)
        .where(User.id == user_id, Organization.id == org_id, User.suspended_at.is_(None))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    user, member, org = found
    return Actor(
        kind="person",
        user_id=user.id,
        org_id=org.id,
        org_kind=org.kind,
        role=member.role,
        is_admin=member.is_admin,
        approved=org.state == "approved",
        confirmed=user.email_confirmed_at is not None,
        name=user.name,
        email=user.email,
        org_name=org.name,
        locale=user.locale,
        request_id=request_id,
    )


def open_invitations(session: Session, org_id: str) -> Sequence[Invitation]:
    """Invitations nobody has answered yet."""
    query = (
        select(Invitation)
        .where(Invitation.org_id == org_id, Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
        .order_by(Invitation.created_at.desc())
        .limit(100)
    )
    return session.scalars(query).all()


def organizations_to_review(
    session: Session, *, state: str = "pending", cursor: str | None = None
) -> Page[Organization]:
    """Organizations in a vetting state, oldest first, with their people."""
    query = (
        select(Organization)
        .where(Organization.state == state, Organization.kind != "operator")
        .options(selectinload(Organization.memberships).selectinload(Membership.user))
    )
    return page(session, query, (Organization.created_at, Organization.id), cursor=cursor, limit=24, descending=False)


def lookalikes(session: Session, organization: Organization) -> Sequence[Organization]:
    """Other businesses whose name a reader may take for this one's, the oldest first (accounts.lookalikes)."""
    if not organization.skeleton:
        return []
    query = (
        select(Organization)
        .where(Organization.skeleton == organization.skeleton, Organization.id != organization.id)
        .order_by(Organization.created_at, Organization.id)
        .limit(10)
    )
    return session.scalars(query).all()


def organization_names(session: Session, ids: set[str]) -> dict[str, str]:
    """Names by id, in one statement."""
    if not ids:
        return {}
    rows = session.execute(select(Organization.id, Organization.name).where(Organization.id.in_(ids)))
    return {row.id: row.name for row in rows}
