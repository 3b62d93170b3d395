"""Serials: each piece made under a license gets a number, counted against its limit and the design's edition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.licensing.grant_models import Serial
from marketplace.licensing.grants import lock_rights
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.rules import RUNNING
from marketplace.notifications.operations import notify_org

_USED = text(
    "select (select coalesce(sum(s.last - s.first + 1), 0) from serials s"
    " where s.license_id = :license and s.released_at is null) as used, numbered, edition from design_units(:design)"
)
_FREE = text("select first, last from free_serials(:design, :quantity)")
#: Shares of a limit, in percent, at which both sides are told; at the last one nothing more can be issued.
WARN_AT = (80, 100)


@dataclass(frozen=True, slots=True)
class Units:
    """How many pieces a license and its design's edition have used; limits are None where there is none."""

    used: int
    limit: int | None
    numbered: int
    edition: int | None

    @property
    def left(self) -> int | None:
        """How many pieces may still be ordered; None for any number."""
        rest = [most - used for used, most in ((self.used, self.limit), (self.numbered, self.edition)) if most]
        return max(0, min(rest)) if rest else None


def units(session: Session, license_: License) -> Units:
    """What a license has used and what is left, in one statement."""
    row = session.execute(_USED, {"license": license_.id, "design": license_.design_id}).one()
    return Units(int(row.used), license_.terms.get("max_units"), row.numbered, row.edition)


def issue(
    session: Session, actor: Actor, license_id: str, quantity: int, *, order_id: str | None = None
) -> list[Serial]:
    """Give the next free numbers of the design to `quantity` pieces under a license; tells at 80 and 100 %.

    Locks the license, then the design's rights: of several at once the last pieces go to one. Raises Conflict
    `units_exceeded` (with `units_left`) past the license's number or the edition, NotFound for a stranger's license.
    """
    if quantity < 1:
        raise Invalid("quantity_invalid", "Order at least one piece.", fields={"quantity": "Order at least one piece."})
    held = lock(session, License, license_id)
    lock_rights(session, held.design_id)
    before = units(session, held)
    if before.left is not None and quantity > before.left:
        raise _exceeded(before)
    made = [
        Serial(
            license_id=held.id,
            design_id=held.design_id,
            designer_org_id=held.designer_org_id,
            buyer_org_id=held.buyer_org_id,
            order_id=order_id,
            first=row.first,
            last=row.last,
        )
        for row in session.execute(_FREE, {"design": held.design_id, "quantity": quantity})
    ]
    session.add_all(made)
    try:
        session.flush()
    except IntegrityError as error:
        if not str(getattr(getattr(error.orig, "diag", None), "constraint_name", "")).startswith("serials_of"):
            raise
        # The counting trigger, should the limit have been another when it was read.
        raise _exceeded(before) from error
    record(
        session,
        actor,
        "serials.issued",
        held.id,
        owner_org_id=held.designer_org_id,
        quantity=quantity,
        numbers=numbers(made),
    )
    _warn(session, held, before, quantity)
    return made


def numbers(rows: Sequence[Serial]) -> str:
    """Serials as people write them: "12–40, 55"."""
    parts = [str(row.first) if row.first == row.last else f"{row.first}–{row.last}" for row in rows]
    return ", ".join(parts)


def serials(session: Session, *, license_id: str | None = None, order_id: str | None = None) -> list[Serial]:
    """The numbers that stand under a license, or of one order, in order."""
    query = select(Serial).where(Serial.released_at.is_(None))
    if license_id is not None:
        query = query.where(Serial.license_id == license_id)
    if order_id is not None:
        query = query.where(Serial.order_id == order_id)
    return list(session.scalars(query.order_by(Serial.first)))


def _exceeded(before: Units) -> Conflict:
    edition = before.edition is not None and before.left == max(0, before.edition - before.numbered)
    params: dict[str, Any] = {"limit": before.edition if edition else before.limit, "left": before.left}
    words = "The license allows %(limit)s pieces and %(left)s are left. Order fewer, or ask the designer for more."
    if edition:
        words = "The edition is of %(limit)s pieces for everybody together and %(left)s are left. Order fewer."
    return Conflict("units_exceeded", words, params=params, extra={"units_left": before.left})


def _warn(session: Session, held: License, before: Units, quantity: int) -> None:
    """Tell both sides once when a limit's share is reached by this issue, of an edition also all other licensees."""
    pairs = ((before.used, before.limit, "units"), (before.numbered, before.edition, "edition"))
    title = ""
    for used, most, name in pairs:
        crossed = [share for share in WARN_AT if most and used * 100 < most * share <= (used + quantity) * 100]
        if not crossed:
            continue
        title = title or str(session.get_one(Negotiation, held.negotiation_id).snapshot.get("title", ""))
        for org_id in (held.designer_org_id, held.buyer_org_id):
            notify_org(
                session,
                org_id,
                f"{name}_{crossed[-1]}",
                path=f"/licenses/{held.id}",
                design=title,
                used=used + quantity,
                limit=most,
            )
        if name == "edition":
            args = {"license_id": held.id, "share": crossed[-1], "used": used + quantity, "limit": most}
            stage(session, JobName.TELL_EDITION, f"{held.id}:{crossed[-1]}:{used + quantity}", args, subject=held.id)


def tell_others(session: Session, license_id: str, *, share: int, used: int, limit: int) -> int:
    """Tell the buyers of the design's other running licenses that a share of its edition is ordered, and nobody's name.

    Returns how many. For a job: who orders may not read the licenses of others.
    """
    held = session.get_one(License, license_id)
    title = Negotiation.snapshot["title"].astext
    query = (
        select(License.buyer_org_id, func.min(License.id), func.min(title))
        .join(Negotiation, Negotiation.id == License.negotiation_id)
        .where(
            License.design_id == held.design_id,
            License.buyer_org_id != held.buyer_org_id,
            License.state.in_(RUNNING),
        )
        .group_by(License.buyer_org_id)
    )
    found = session.execute(query).all()
    for org_id, key, design in found:
        path = f"/licenses/{key}"
        notify_org(session, org_id, f"edition_{share}", path=path, design=design or "", used=used, limit=limit)
    return len(found)
