"""What an organization agreed on before: medians of its own deals, of nobody else's, and of no fewer than three."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.money import Money
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.vocabulary import WORLD

#: Fewer deals than this tell more about a single one than about what is usual.
LEAST = 3
#: The newest deals that count.
MOST = 500


@dataclass(frozen=True, slots=True)
class Deal:
    """One agreement of the organization."""

    fee: int
    percent: Decimal | None
    per_unit: int | None
    category: str
    reach: str


@dataclass(frozen=True, slots=True)
class Guidance:
    """Medians of `deals` agreements alike in `alike` (kind and currency always, then category, reach); None where fewer
    than LEAST of them have that term. `deals` below LEAST: no medians at all.
    """

    deals: int
    alike: tuple[str, ...]
    fee: Money | None = None
    percent: Decimal | None = None
    per_unit: Money | None = None


def reach(territories: Sequence[str]) -> str:
    """How large a territory is: country, few (up to ten), many, world."""
    if WORLD in territories:
        return "world"
    if any(len(code) > 2 for code in territories) or len(territories) > 10:
        return "many"
    return "country" if len(territories) == 1 else "few"


def guidance(
    session: Session, actor: Actor, *, kind: str, currency: str, category: str, territories: Sequence[str]
) -> Guidance:
    """The narrowest group of the organization's own deals that has enough of them. One statement."""
    found = deals_of(session, actor, kind, currency)
    size = reach(territories)
    groups = (
        (("category", "reach"), [d for d in found if d.category == category and d.reach == size]),
        (("category",), [d for d in found if d.category == category]),
        (("reach",), [d for d in found if d.reach == size]),
        ((), found),
    )
    for alike, group in groups:
        if len(group) >= LEAST:
            return _medians(group, alike, currency)
    return Guidance(len(found), ())


def deals_of(session: Session, actor: Actor, kind: str, currency: str) -> list[Deal]:
    """The organization's agreements of one kind in one currency that came into force, the newest first."""
    query = (
        select(License.fee_amount, License.terms, Negotiation.snapshot["category"].astext)
        .join(Negotiation, Negotiation.id == License.negotiation_id)
        .where(
            or_(License.designer_org_id == actor.org_id, License.buyer_org_id == actor.org_id),
            License.kind == kind,
            License.currency == currency,
            License.active_from.is_not(None),
        )
        .order_by(License.created_at.desc(), License.id)
        .limit(MOST)
    )
    return [_deal(fee, terms, category or "") for fee, terms, category in session.execute(query)]


def _deal(fee: int, terms: dict[str, Any], category: str) -> Deal:
    percent, per_unit = terms.get("royalty_percent"), terms.get("royalty_per_unit")
    return Deal(
        fee=fee,
        percent=None if percent is None else Decimal(str(percent)),
        per_unit=None if per_unit is None else int(per_unit["amount"]),
        category=category,
        reach=reach(terms.get("territories") or []),
    )


def _medians(group: list[Deal], alike: tuple[str, ...], currency: str) -> Guidance:
    percents = [deal.percent for deal in group if deal.percent is not None]
    per_units = [deal.per_unit for deal in group if deal.per_unit is not None]
    return Guidance(
        deals=len(group),
        alike=alike,
        fee=Money(_middle([deal.fee for deal in group]), currency),
        percent=median(percents) if len(percents) >= LEAST else None,
        per_unit=Money(_middle(per_units), currency) if len(per_units) >= LEAST else None,
    )


def _middle(amounts: list[int]) -> int:
    """The median in whole minor units, half rounded up."""
    ordered = sorted(amounts)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return (low + high + 1) // 2
