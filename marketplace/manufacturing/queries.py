"""Reading who fetched what, and under which NDA."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization, User
from marketplace.manufacturing.models import CadCopy, CadLink, Nda
from marketplace.orders.models import Order


@dataclass(frozen=True, slots=True)
class CadFetch:
    """One link: who asked for which file when, under which signature, and whether it was used."""

    order_id: str
    filename: str
    maker: str
    person: str
    nda_version: int
    asked_at: datetime
    used_at: datetime | None
    ip: str | None
    copy_sha256: str | None
    level: str | None


def cad_fetches(
    session: Session, design_id: str | None = None, *, order_id: str | None = None, limit: int = 100
) -> list[CadFetch]:
    """The links for a design or an order, newest first; row security shows a workshop only its own."""
    query = (
        select(CadLink, Organization.name.label("maker"), User.name.label("person"), CadCopy.sha256, CadCopy.level)
        .outerjoin(CadCopy, CadCopy.id == CadLink.copy_id)
        .join(Organization, Organization.id == CadLink.maker_org_id)
        .join(User, User.id == CadLink.user_id)
        .order_by(CadLink.created_at.desc(), CadLink.id.desc())
        .limit(limit)
    )
    if design_id is not None:
        query = query.where(CadLink.design_id == design_id)
    if order_id is not None:
        query = query.where(CadLink.order_id == order_id)
    return [
        CadFetch(
            order_id=link.order_id,
            filename=link.filename,
            maker=maker,
            person=person,
            nda_version=link.nda_version,
            asked_at=link.created_at,
            used_at=link.used_at,
            ip=link.used_ip,
            copy_sha256=sha256,
            level=level,
        )
        for link, maker, person, sha256, level in session.execute(query)
    ]


def open_copies(session: Session, order_id: str, user_id: str) -> dict[str, CadCopy]:
    """A person's newest copy of each file of an order, by asset, unless it was fetched or is void."""
    query = (
        select(CadCopy)
        .where(CadCopy.order_id == order_id, CadCopy.user_id == user_id)
        .order_by(CadCopy.created_at, CadCopy.id)
        .limit(500)
    )
    newest = {copy.asset_id: copy for copy in session.scalars(query)}
    return {name: copy for name, copy in newest.items() if copy.state in {"preparing", "ready", "failed"}}


def copies_of(session: Session, order_id: str) -> Sequence[CadCopy]:
    """The copies made for an order, newest first; row security shows a workshop only its own."""
    query = select(CadCopy).where(CadCopy.order_id == order_id).order_by(CadCopy.created_at.desc(), CadCopy.id.desc())
    return session.scalars(query.limit(200)).all()


def signatures(session: Session, order: Order) -> Sequence[Nda]:
    """Every NDA signature of an order, newest first."""
    return session.scalars(select(Nda).where(Nda.order_id == order.id).order_by(Nda.created_at.desc())).all()
