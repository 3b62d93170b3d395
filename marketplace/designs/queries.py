"""Reading designs: lists, cards, and what other features may know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, cast, func, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.designs.models import Asset, Design, Fact, MarkedCover
from marketplace.designs.pictures import Sign
from marketplace.designs.words import search_words
from marketplace.kernel.errors import NotFound
from marketplace.web.paging import Page, page

_WEIGHT = "weight_18k_yellow"


@dataclass(frozen=True, slots=True)
class DesignCard:
    """What a card shows. `weight_18k_g` is grams in 18k yellow gold, as modeled."""

    id: str
    title: str
    org_id: str
    org_name: str
    category: str | None
    image_url: str | None
    placeholder: str | None
    weight_18k_g: float | None
    state: str


@dataclass(frozen=True, slots=True)
class NextSteps:
    """Counts for a designer's home page. `blocked` are drafts with a refused file."""

    drafts: int
    blocked: int
    listed: int
    removed: int
    rejected_files: int
    working_files: int


def cards(session: Session, ids: Sequence[str], sign: Sign) -> dict[str, DesignCard]:
    """Cards by design id, in one statement; ids the actor may not see are missing.

    Of a design that is not listed, others than its studio see the copy of the cover that bears their name, or no
    picture until it is made.
    """
    if not ids:
        return {}
    query = (
        select(
            Design.id,
            Design.title,
            Design.org_id,
            Organization.name,
            Design.category,
            Design.cover,
            Design.state,
            MarkedCover.storage_key.label("marked"),
            func.current_setting("app.org", True).label("viewer"),
            cast(Fact.value.op("#>>")(text("'{}'")), Float).label("weight"),
        )
        .join(Organization, Organization.id == Design.org_id)
        .outerjoin(Fact, (Fact.design_id == Design.id) & (Fact.name == _WEIGHT))
        .outerjoin(
            MarkedCover,
            (MarkedCover.design_id == Design.id) & (MarkedCover.viewer_org_id == func.current_setting("app.org", True)),
        )
        .where(Design.id.in_(set(ids)))
    )
    return {
        row.id: DesignCard(
            id=row.id,
            title=row.title,
            org_id=row.org_id,
            org_name=row.name,
            category=row.category,
            image_url=sign(key) if (key := _cover_key(row)) else None,
            placeholder=row.cover["placeholder"] if row.cover else None,
            weight_18k_g=row.weight,
            state=row.state,
        )
        for row in session.execute(query)
    }


def _cover_key(row: Any) -> str | None:
    if row.cover is None:
        return None
    if row.state == "listed" or row.viewer == row.org_id:
        return str(row.cover["key"])
    return str(row.marked) if row.marked else None


def designs_of(
    session: Session, org_id: str, *, q: str = "", state: str = "", cursor: str | None = None, limit: int = 24
) -> Page[Design]:
    """An organization's designs, newest first; `q` matches whole words or beginnings of words."""
    query = select(Design).where(Design.org_id == org_id)
    if state:
        query = query.where(Design.state == state)
    if words := search_words(q)[:8]:
        terms = " & ".join(f"{word}:*" for word in words)
        query = query.where(func.to_tsvector("simple", Design.search).op("@@")(func.to_tsquery("simple", terms)))
    return page(session, query, (Design.created_at, Design.id), cursor=cursor, limit=limit)


def listed_design(session: Session, design_id: str) -> Design:
    """A design in the catalog; raises NotFound."""
    found = session.scalars(select(Design).where(Design.id == design_id, Design.state == "listed")).one_or_none()
    if found is None:
        raise NotFound
    return found


def assets_of(session: Session, design_id: str) -> Sequence[Asset]:
    """A design's files as its owner sees them, in order."""
    query = (
        select(Asset)
        .where(Asset.design_id == design_id, Asset.removed_at.is_(None))
        .order_by(Asset.position, Asset.id)
        .limit(500)
    )
    return session.scalars(query).all()


def cad_assets(session: Session, design_id: str) -> list[Asset]:
    """Ready CAD files; row security shows them to the owner (and to a maker that a later feature let in) alone."""
    query = (
        select(Asset)
        .where(Asset.design_id == design_id, Asset.kind == "cad", Asset.state == "ready", Asset.removed_at.is_(None))
        .order_by(Asset.position, Asset.id)
    )
    return list(session.scalars(query))


def facts_of(session: Session, design_id: str) -> list[Fact]:
    """All facts of a design by name."""
    return list(session.scalars(select(Fact).where(Fact.design_id == design_id).order_by(Fact.name).limit(300)))


def snapshot(session: Session, design_id: str) -> dict[str, Any]:
    """What a negotiation freezes: title, facts, CAD ids with their hashes, story. Raises NotFound.

    Readable by everyone who can see the design: the hashes come from the design's own pins, not from the CAD rows.
    """
    design = session.get(Design, design_id)
    if design is None:
        raise NotFound
    return {
        "design_id": design.id,
        "version": design.version,
        "title": design.title,
        "category": design.category,
        "description": design.description,
        "metadata": design.details,
        "facts": [weighed_json(fact) for fact in facts_of(session, design_id)],
        "cad": [dict(pin) for pin in design.cad_pins],
        "story": design.story,
        "list_price": {"amount": design.list_price_amount, "currency": design.list_price_currency}
        if design.list_price
        else None,
    }


def fact_json(fact: Fact) -> dict[str, Any]:
    """A fact as the API shows it."""
    return {
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit,
        "source": fact.source,
        "method": fact.method,
        "confidence": fact.confidence,
        "tolerance": fact.tolerance,
        "reason": fact.reason,
        "confirmed_by": fact.confirmed_by,
        "confirmed_at": fact.confirmed_at.isoformat() if fact.confirmed_at else None,
    }


def weighed_json(fact: Fact) -> dict[str, Any]:
    """The same; a measured weight also with `low` and `high`, the grams that finishing leaves."""
    measured = fact.measured or {}
    band = {name: measured[name] for name in ("low", "high") if measured.get(name) is not None}
    return {**fact_json(fact), **(band if fact.source == "measured" else {})}


def next_steps(session: Session, org_id: str) -> NextSteps:
    """Counts of a studio's designs and files, in two statements."""
    states = {
        row.state: row.n
        for row in session.execute(
            select(Design.state, func.count().label("n")).where(Design.org_id == org_id).group_by(Design.state)
        )
    }
    rejected, blocked, working = session.execute(
        select(
            func.count().filter(Asset.state == "rejected"),
            func.count(Asset.design_id.distinct()).filter((Asset.state == "rejected") & (Design.state == "draft")),
            func.count().filter(Asset.state.in_(("uploaded", "processing"))),
        )
        .join(Design, Design.id == Asset.design_id)
        .where(Asset.org_id == org_id, Asset.removed_at.is_(None))
    ).one()
    return NextSteps(
        drafts=states.get("draft", 0),
        blocked=blocked,
        listed=states.get("listed", 0),
        removed=states.get("removed", 0),
        rejected_files=rejected,
        working_files=working,
    )
