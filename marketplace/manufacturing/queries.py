"""Reading who fetched what, and under which NDA."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization, User
from marketplace.manufacturing.models import CadLink, Nda
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


def cad_fetches(
    session: Session, design_id: str | None = None, *, order_id: str | None = None, limit: int = 100
) -> list[CadFetch]:
    """The links for a design or an order, newest first; row security shows a workshop only its own."""
    query = (
        select(CadLink, Organization.name.label("maker"), User.name.label("person"))
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
        )
        for link, maker, person in session.execute(query)
    ]


def signatures(session: Session, order: Order) -> Sequence[Nda]:
    """Every NDA signature of an order, newest first."""
    return session.scalars(select(Nda).where(Nda.order_id == order.id).order_by(Nda.created_at.desc())).all()
