"""Reading term sheets, prices of metal, limits, and what waits for a colleague."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import Membership, User
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.models import Negotiation
from marketplace.licensing.playbook.deciding import is_void
from marketplace.licensing.playbook.models import Approval, DesignSheet, MetalPrice, TermSheet

#: How long a deleted term sheet is offered to be brought back.
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Held:
    """One approval as its organization sees it; `state` is void when the version has moved on."""

    row: Approval
    state: str
    asker: str
    decider: str
    amount: Money
    limit: Money | None


def sheets_of(session: Session, actor: Actor) -> tuple[list[TermSheet], list[TermSheet]]:
    """(term sheets by name, those deleted lately) of the actor's studio. One statement."""
    query = select(TermSheet).where(TermSheet.org_id == actor.org_id).order_by(TermSheet.name, TermSheet.id).limit(500)
    rows = list(session.scalars(query))
    recent = clock.now() - KEPT
    gone = [row for row in rows if row.deleted_at is not None and row.deleted_at > recent]
    return [row for row in rows if row.deleted_at is None], gone


@dataclass(frozen=True, slots=True)
class Start:
    """What offers for a design start from: its own sheet, or else the studio's published one; either may be missing."""

    own: TermSheet | None
    published: TermSheet | None

    @property
    def sheet(self) -> TermSheet | None:
        """The one that counts."""
        return self.own or self.published


def start_of(session: Session, org_id: str, design_id: str) -> Start:
    """What offers for a design of this studio start from, in one statement."""
    query = (
        select(TermSheet, DesignSheet.design_id)
        .outerjoin(DesignSheet, and_(DesignSheet.sheet_id == TermSheet.id, DesignSheet.design_id == design_id))
        .where(
            TermSheet.org_id == org_id,
            TermSheet.deleted_at.is_(None),
            or_(TermSheet.is_default.is_(True), DesignSheet.design_id.is_not(None)),
        )
    )
    rows: Sequence[Any] = session.execute(query).all()
    own = next((sheet for sheet, design in rows if design is not None), None)
    return Start(own, next((sheet for sheet, _design in rows if sheet.is_default), None))


def designs_by_sheet(session: Session, actor: Actor) -> dict[str, int]:
    """How many designs of the actor's studio start from a sheet of their own, by sheet."""
    query = select(DesignSheet.sheet_id, func.count()).where(DesignSheet.org_id == actor.org_id)
    return {row[0]: row[1] for row in session.execute(query.group_by(DesignSheet.sheet_id))}


def prices(session: Session, actor: Actor) -> Sequence[MetalPrice]:
    """Every price of metal the actor's studio has set."""
    query = select(MetalPrice).where(MetalPrice.org_id == actor.org_id)
    return session.scalars(query.order_by(MetalPrice.currency, MetalPrice.alloy)).all()


def members(session: Session, org_id: str) -> list[tuple[str, str, bool]]:
    """(user id, name, administrator) of an organization's members, the first first."""
    query = (
        select(User.id, User.name, Membership.is_admin)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id == org_id)
        .order_by(Membership.created_at, Membership.id)
        .limit(200)
    )
    return [(row.id, row.name, row.is_admin) for row in session.execute(query)]


def held(session: Session, actor: Actor, *, limit: int = 50) -> list[Held]:
    """What the actor's organization holds or held back, newest first."""
    asker, decider = aliased(User), aliased(User)
    query: Any = (
        select(Approval, Negotiation, asker.name, decider.name)
        .outerjoin(Negotiation, Negotiation.id == Approval.negotiation_id)
        .outerjoin(asker, asker.id == Approval.asked_by)
        .outerjoin(decider, decider.id == Approval.decided_by)
        .where(Approval.org_id == actor.org_id)
        .order_by(Approval.created_at.desc(), Approval.id.desc())
        .limit(limit)
    )
    found = []
    for row, negotiation, asked, decided in session.execute(query):
        void = row.state == "pending" and is_void(row, negotiation)
        found.append(
            Held(
                row=row,
                state="void" if void else row.state,
                asker=asked or "–",
                decider=decided or "",
                amount=Money(row.amount, row.currency),
                limit=None if row.limit_amount is None else Money(row.limit_amount, row.currency),
            )
        )
    return found
