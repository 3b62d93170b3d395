"""Reading the catalog: one statement for a page of cards, one for all facet counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Float, String, any_, cast, exists, func, literal, select, text, tuple_, union_all
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from marketplace.accounts.models import Organization
from marketplace.catalog.filters import CatalogQuery
from marketplace.catalog.models import SavedDesign
from marketplace.designs.models import Design, Fact
from marketplace.designs.words import search_words
from marketplace.kernel.money import Money
from marketplace.web.paging import make_cursor, read_position

#: The alloy whose weight stands on a card and is filtered by.
CARD_WEIGHT = "weight_18k_yellow"
#: Facets count at most this many matching designs; the page says "1,000+" beyond.
COUNT_CAP = 1000


@dataclass(frozen=True, slots=True)
class Card:
    """A listed design as a card shows it; `cover` is {key, width, height, placeholder} or None."""

    id: str
    title: str
    org_id: str
    org_name: str
    category: str | None
    metals: Sequence[str]
    stones: Sequence[str]
    price: Money | None
    cover: dict[str, Any] | None
    weight_18k_g: float | None
    saved: bool
    listed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Cards:
    """One page of the catalog."""

    items: Sequence[Card]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Facets:
    """How many listed designs each further choice would leave: (value, count), most first; `total` is capped."""

    total: int
    category: Sequence[tuple[str, int]]
    metal: Sequence[tuple[str, int]]
    stone: Sequence[tuple[str, int]]


def cards(session: Session, asked: CatalogQuery, *, user_id: str) -> Cards:
    """A page of listed designs that match."""
    saved = exists().where(SavedDesign.design_id == Design.id, SavedDesign.user_id == user_id)
    query = (
        select(
            Design,
            Organization.name.label("org_name"),
            cast(Fact.value, Float).label("weight"),
            saved.label("saved"),
        )
        .join(Organization, Organization.id == Design.org_id)
        .outerjoin(Fact, (Fact.design_id == Design.id) & (Fact.name == CARD_WEIGHT) & (Fact.reason.is_(None)))
        .where(*_conditions(asked, user_id=user_id))
    )
    keys, descending = _order(asked.sort)
    if asked.cursor:
        position = tuple_(*keys)
        at = tuple_(*(literal(v) for v in read_position(asked.cursor, keys)))
        query = query.where(position < at if descending else position > at)
    rows = session.execute(
        query.order_by(*(k.desc() if descending else k.asc() for k in keys)).limit(asked.limit + 1)
    ).all()
    found = [_card(*row) for row in rows[: asked.limit]]
    more = len(rows) > asked.limit
    last: Design | None = rows[asked.limit - 1][0] if more else None
    cursor = make_cursor([getattr(last, str(k.key)) for k in keys]) if last is not None else None
    return Cards(found, cursor)


def facets(session: Session, asked: CatalogQuery, *, user_id: str) -> Facets:
    """Counts over everything that matches, in one statement."""
    hits = (
        select(Design.category.label("category"), Design.details.label("details"))
        .where(*_conditions(asked, user_id=user_id))
        .limit(COUNT_CAP)
        .cte("hits")
        .prefix_with("materialized", dialect="postgresql")
    )
    one = literal(1)
    parts: list[Any] = [
        select(literal("total").label("facet"), literal("").label("value"), func.count(one).label("n")).select_from(
            hits
        ),
        select(literal("category"), hits.c.category, func.count(one)).group_by(hits.c.category),
    ]
    for facet in ("metals", "stones"):
        values = func.jsonb_array_elements_text(
            func.coalesce(hits.c.details[facet], cast(literal("[]"), JSONB))
        ).table_valued("value", name=f"{facet}_values")
        parts.append(
            select(literal(facet), values.c.value, func.count(one))
            .select_from(hits)
            .join(values, text("true"))
            .group_by(values.c.value)
        )
    found: dict[str, list[tuple[str, int]]] = {}
    for facet, value, count in session.execute(union_all(*parts)):
        found.setdefault(facet, []).append((value, count))
    ranked = {k: sorted((v for v in vs if v[0]), key=lambda p: (-p[1], p[0])) for k, vs in found.items()}
    return Facets(
        total=found["total"][0][1],
        category=ranked.get("category", []),
        metal=ranked.get("metals", [])[:12],
        stone=ranked.get("stones", [])[:12],
    )


def facts(session: Session, design_id: str) -> Sequence[Fact]:
    """What is known about a listed design."""
    return session.scalars(select(Fact).where(Fact.design_id == design_id).order_by(Fact.name).limit(100)).all()


def studio_and_saved(session: Session, design: Design, user_id: str) -> tuple[Organization, bool]:
    """Whose design it is, and whether this person saved it."""
    saved = exists().where(SavedDesign.design_id == design.id, SavedDesign.user_id == user_id)
    studio, is_saved = session.execute(select(Organization, saved).where(Organization.id == design.org_id)).one()
    return studio, is_saved


def _conditions(asked: CatalogQuery, *, user_id: str) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Design.state == "listed"]
    if words := search_words(asked.q):
        # search_words leaves letters and digits only, so nothing of tsquery's own syntax can come through.
        terms = " & ".join([*words[:-1], f"{words[-1]}:*"])
        # As an array the hits are found first; else the planner may walk all designs by date and look each one up.
        hits = func.array(select(func.listed_designs_matching(terms)).scalar_subquery(), type_=ARRAY(String))
        where.append(Design.id == any_(hits))
    if asked.category:
        where.append(Design.category == asked.category)
    if asked.metal:
        where.append(Design.details.contains({"metals": [asked.metal]}))
    if asked.stone:
        where.append(Design.details.contains({"stones": [asked.stone.casefold()]}))
    if asked.price_max is not None:
        where += [Design.list_price_amount <= asked.price_max, Design.list_price_currency == asked.currency]
    if asked.weight_min is not None or asked.weight_max is not None:
        weight = cast(Fact.value, Float)
        bounds = [Fact.design_id == Design.id, Fact.name == CARD_WEIGHT, Fact.reason.is_(None)]
        if asked.weight_min is not None:
            bounds.append(weight >= asked.weight_min)
        if asked.weight_max is not None:
            bounds.append(weight <= asked.weight_max)
        where.append(exists().where(*bounds))
    if asked.available_for:
        where.append(~_reserved(asked.available_for))
    if asked.saved:
        where.append(exists().where(SavedDesign.design_id == Design.id, SavedDesign.user_id == user_id))
    if asked.sort != "newest":
        where.append(Design.list_price_amount.is_not(None))
    return where


def _reserved(territory: str) -> ColumnElement[bool]:
    """A license or hold of others covers some of this territory now, so no exclusive can begin; no party is named."""
    return func.design_reserved(Design.id, territory).is_(True)


def _order(sort: str) -> tuple[tuple[Any, ...], bool]:
    if sort == "newest":
        return (Design.listed_at, Design.id), True
    return (Design.list_price_amount, Design.id), sort == "price_down"


def _card(design: Design, org_name: str, weight: float | None, saved: bool) -> Card:
    return Card(
        id=design.id,
        title=design.title,
        org_id=design.org_id,
        org_name=org_name,
        category=design.category,
        metals=design.metals,
        stones=design.stones,
        price=design.list_price,
        cover=design.cover,
        weight_18k_g=weight,
        saved=saved,
        listed_at=design.listed_at,
    )
