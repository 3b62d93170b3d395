"""Reading negotiations and licenses: one thread, and what other features may know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import Organization
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.licensing.contract.life import expiring, in_force
from marketplace.licensing.models import License, Negotiation, Offer, ReadMark, Signature
from marketplace.licensing.rules import alias_code, side_of
from marketplace.web.paging import Page, page


@dataclass(frozen=True, slots=True)
class Around:
    """What a page needs beside the negotiation itself."""

    designer_name: str
    buyer_name: str
    named_at: datetime | None
    last_terms: dict[str, Any]
    last_side: str
    last_at: datetime
    read_at: datetime | None
    license_id: str | None
    license_state: str | None


def buyer_alias(buyer_org_id: str, design_id: str) -> str:
    """What a designer calls a buyer until an agreement names both ("Buyer 7F3A"); differs from design to design."""
    return _("Buyer %(code)s", code=alias_code(buyer_org_id, design_id))


class Named(Protocol):
    """The names of both sides, and since when the designer knows the buyer's."""

    @property
    def designer_name(self) -> str: ...
    @property
    def buyer_name(self) -> str: ...
    @property
    def named_at(self) -> datetime | None: ...


def counterpart(negotiation: Negotiation | License, actor: Actor, this: Named) -> str:
    """The other side's name, as far as the actor may know it: a designer learns the buyer's with the agreement."""
    if side_of(negotiation, actor) != "designer":
        return this.designer_name
    return this.buyer_name if this.named_at else buyer_alias(negotiation.buyer_org_id, negotiation.design_id)


def active_license(session: Session, license_id: str) -> License:
    """A license under which pieces may be ordered now. Raises NotFound; Conflict `license_not_active`.

    While a breach is being cured the license runs on, but nothing new is ordered.
    """
    held = session.get(License, license_id)
    if held is None:
        raise NotFound
    running = session.scalar(select(License.id).where(License.id == license_id, in_force(clock.now())))
    if running is None or held.state != "active":
        raise Conflict("license_not_active", "This license is not active.", extra={"state": held.state})
    return held


def around(session: Session, actor: Actor, negotiation_ids: Sequence[str]) -> dict[str, Around]:
    """By negotiation: the names, the last offer, when it was read, the license; in one statement."""
    if not negotiation_ids:
        return {}
    designer, buyer = aliased(Organization), aliased(Organization)
    query = (
        select(
            Negotiation.id,
            designer.name,
            buyer.name,
            Negotiation.buyer_named_at,
            Offer,
            ReadMark.read_at,
            License.id,
            License.state,
        )
        .join(designer, designer.id == Negotiation.designer_org_id)
        .join(buyer, buyer.id == Negotiation.buyer_org_id)
        .join(Offer, and_(Offer.negotiation_id == Negotiation.id, Offer.version == Negotiation.current_version))
        .outerjoin(ReadMark, and_(ReadMark.negotiation_id == Negotiation.id, ReadMark.org_id == actor.org_id))
        .outerjoin(License, License.negotiation_id == Negotiation.id)
        .where(Negotiation.id.in_(negotiation_ids))
    )
    return {
        row[0]: Around(
            designer_name=row[1],
            buyer_name=row[2],
            named_at=row[3],
            last_terms=row[4].terms,
            last_side=row[4].side,
            last_at=row[4].created_at,
            read_at=row[5],
            license_id=row[6],
            license_state=row[7],
        )
        for row in session.execute(query)
    }


def running(session: Session, actor: Actor, design_id: str) -> Negotiation | None:
    """The buyer's running negotiation over a design."""
    return session.scalars(
        select(Negotiation).where(
            Negotiation.design_id == design_id,
            Negotiation.buyer_org_id == actor.org_id,
            Negotiation.state == "open",
            Negotiation.expires_at > clock.now(),
        )
    ).one_or_none()


def offers(session: Session, negotiation_id: str) -> list[Offer]:
    """Every version, oldest first."""
    query = select(Offer).where(Offer.negotiation_id == negotiation_id).order_by(Offer.version).limit(500)
    return list(session.scalars(query))


def licenses(
    session: Session, actor: Actor, *, state: str = "", cursor: str | None = None, limit: int = 24
) -> Page[License]:
    """Licenses of the actor's organization, newest first. `state` filters; `expiring` are those that end soon."""
    query = select(License).where(or_(License.designer_org_id == actor.org_id, License.buyer_org_id == actor.org_id))
    if state:
        query = query.where(expiring(clock.now()) if state == "expiring" else License.state == state)
    return page(session, query, (License.created_at, License.id), cursor=cursor, limit=limit)


def signatures(session: Session, license_id: str) -> list[Signature]:
    """Who has signed the agreement, first come first."""
    return signatures_of(session, [license_id]).get(license_id, [])


def signatures_of(session: Session, license_ids: Sequence[str]) -> dict[str, list[Signature]]:
    """Signatures under the agreement by license, first come first."""
    query = (
        select(Signature)
        .where(Signature.license_id.in_(license_ids), Signature.addendum_id.is_(None))
        .order_by(Signature.at)
    )
    found: dict[str, list[Signature]] = {}
    for mark in session.scalars(query):
        found.setdefault(mark.license_id, []).append(mark)
    return found


def titles(session: Session, negotiation_ids: Sequence[str]) -> dict[str, str]:
    """The design's title by negotiation, as it was when it began."""
    rows = session.execute(
        select(Negotiation.id, Negotiation.snapshot["title"].astext).where(Negotiation.id.in_(negotiation_ids))
    )
    return {row[0]: row[1] or "" for row in rows}
