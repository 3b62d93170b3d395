"""What went back to a buyer of what it had paid, as statements count it: each once, and once more when it is undone.

- Of an order: the royalty that was paid with it is neither earned nor paid.
- Of a quarter's payment: what was earned stands, so that part is asked again; only a correction takes something off.
- Of the advance: it is not set off any more; what had been set off already is asked again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, func, or_, select, union_all
from sqlalchemy.orm import Session

from marketplace.licensing.models import License
from marketplace.orders.models import Order
from marketplace.payments.claims import Dispute, GiveBack, Refund
from marketplace.payments.models import Checkout
from marketplace.payments.rules import TOO_LATE
from marketplace.royalties.counted import Counted
from marketplace.royalties.models import Statement, StatementLine

#: Ends the source of the line that takes another one back.
UNDONE = ":undone"
_KEY = cast(GiveBack.id, String)
#: The kind of line that tells of what went back of a statement's payment.
_KIND = case((Statement.kind == "advance", "advance"), else_="returned")


def of_orders(session: Session, held: License) -> list[Counted]:
    """What went back of royalties that were paid with orders which a statement has counted or counts now."""
    query = (
        select(Order, GiveBack)
        .join(Checkout, and_(Checkout.subject_id == Order.id, Checkout.purpose == "order"))
        .join(GiveBack, GiveBack.checkout_id == Checkout.id)
        .where(
            Order.license_id == held.id,
            # Of an order that never began nothing was counted, so its late payment takes nothing off.
            Order.paid_at.is_not(None),
            GiveBack.org_id == held.designer_org_id,
            GiveBack.kind == "royalty",
            # Of a payment that came too late nothing was earned.
            ~Checkout.replaced,
            _waits("refund"),
        )
        .order_by(GiveBack.id)
    )
    found = []
    for order, back in session.execute(query):
        gross = _gross(back)
        found.append(_line("refund", back, order.reference, base=-gross, royalty=-gross, paid=-gross))
    return found


def of_statements(session: Session, held: License) -> list[Counted]:
    """What went back of the payments of a license's statements.

    How much of an advance had been set off is known only when the statement is reckoned: see `reduce_advance`.
    """
    query = (
        select(Statement, GiveBack)
        .join(Checkout, and_(Checkout.subject_id == Statement.id, Checkout.purpose == "royalty"))
        .join(GiveBack, GiveBack.checkout_id == Checkout.id)
        .where(Statement.license_id == held.id, _of_what_counted(), _waits(_KIND))
        .order_by(GiveBack.id)
    )
    taken_back = {
        line.source_id: line.paid
        for line in session.scalars(
            select(StatementLine).where(StatementLine.license_id == held.id, StatementLine.kind == "advance")
        )
    }
    found = []
    for statement, back in session.execute(query):
        gross, name = _gross(back), statement.number or ""
        if statement.kind == "advance":
            again = taken_back.get(str(back.id), 0) if back.undone_at else 0
            found.append(_line("advance", back, name, base=-gross, royalty=0, paid=again))
        else:
            found.append(_line("returned", back, name, base=-gross, royalty=0, paid=-gross))
    return found


def reduce_advance(found: Sequence[Counted], advance: int) -> tuple[list[Counted], int]:
    """The lines with what went back of the advance divided: it lowers what is left of it, the rest is asked again.

    `advance` is what is left before. Returns the lines and what is left after; both in minor units.
    """
    lines = []
    for line in found:
        if line.kind == "advance" and line.base < 0:
            cut = min(-line.base, advance)
            lines.append(replace(line, paid=line.base + cut))
            advance -= cut
            continue
        if line.kind == "advance":
            advance += line.base - line.paid
        lines.append(line)
    return lines, advance


def counted(session: Session, license_id: str) -> int:
    """What the statements so far have taken off a license's advance because it went back, zero or less."""
    query = select(func.coalesce(func.sum(StatementLine.base - StatementLine.paid), 0)).where(
        StatementLine.license_id == license_id, StatementLine.kind == "advance"
    )
    return int(session.scalars(query).one())


def waiting() -> ColumnElement[bool]:
    """Whether something of a statement's payment went back that no statement has counted; for a query of licenses."""
    return (
        select(GiveBack.id)
        .join(Checkout, Checkout.id == GiveBack.checkout_id)
        .join(Statement, and_(Statement.id == Checkout.subject_id, Checkout.purpose == "royalty"))
        .where(Statement.license_id == License.id, _of_what_counted(), _waits(_KIND))
        .exists()
    )


def of(session: Session, statement_ids: Iterable[str]) -> dict[str, int]:
    """Minor units that went back of the payments of these statements, for their sides."""
    wanted = list(statement_ids)
    causes = [
        select(model.id, model.subject_id).where(model.purpose == "royalty", model.subject_id.in_(wanted), *more)
        for model, more in ((Refund, (Refund.reason != TOO_LATE,)), (Dispute, ()))
    ]
    cause = union_all(*causes).subquery()
    query = (
        select(cause.c.subject_id, func.sum(GiveBack.net + GiveBack.fee))
        .join(GiveBack, GiveBack.cause_id == cause.c.id)
        .where(GiveBack.undone_at.is_(None))
        .group_by(cause.c.subject_id)
    )
    return {key: int(amount) for key, amount in session.execute(query)} if wanted else {}


def _waits(kind: Any) -> ColumnElement[bool]:
    """Whether a give-back, or its being undone, is not a line yet."""

    def line(source: Any) -> Any:
        return exists().where(StatementLine.kind == kind, StatementLine.source_id == source)

    return or_(
        and_(GiveBack.undone_at.is_(None), ~line(_KEY)),
        and_(GiveBack.undone_at.is_not(None), line(_KEY), ~line(_KEY + UNDONE)),
    )


def _of_what_counted() -> ColumnElement[bool]:
    """Not money that came too late: it paid no statement."""
    late = exists().where(Refund.id == GiveBack.cause_id, Refund.reason == TOO_LATE)
    return ~late


def _line(kind: str, back: GiveBack, reference: str, *, base: int, royalty: int, paid: int) -> Counted:
    sign = -1 if back.undone_at else 1
    at = back.undone_at or back.created_at
    return Counted(
        kind=kind,
        source_id=f"{back.id}{UNDONE if back.undone_at else ''}",
        day=at.astimezone(UTC).date(),
        reference=reference,
        quantity=0,
        base=sign * base,
        royalty=sign * royalty,
        paid=sign * paid,
    )


def _gross(back: GiveBack) -> int:
    return back.net + back.fee
