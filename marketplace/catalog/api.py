"""The catalog over the API."""

from datetime import datetime
from typing import Any

from flask import current_app, request

from marketplace.accounts.queries import countries
from marketplace.catalog import operations, queries
from marketplace.catalog.access import load_listed
from marketplace.catalog.filters import CatalogQuery
from marketplace.catalog.views import FULL_WIDTH
from marketplace.designs.models import Design
from marketplace.designs.pictures import gallery
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body, read_query
from marketplace.web.section import Api

api = Api("catalog")


class MoneyOut(Body):
    """Minor units and ISO 4217 code."""

    amount: int
    currency: str


class StudioOut(Body):
    """Whose design it is."""

    id: str
    name: str


class CatalogItem(Body):
    """A card."""

    id: str
    title: str
    designer: StudioOut
    category: str | None
    metals: list[str]
    stones: list[str]
    price: MoneyOut | None
    weight_18k_g: float | None
    image_url: str | None
    saved: bool


class CatalogPage(Body):
    """A page of cards with the counts of further choices."""

    items: list[CatalogItem]
    next_cursor: str | None
    facets: dict[str, Any]


class AvailabilityOut(Body):
    """What is still to be had in a country: `state` open, shared (no exclusive), partly or taken, and until when."""

    territory: str
    state: str
    until: datetime | None
    channels: list[str]


class CatalogDesign(CatalogItem):
    """A piece with everything a trade member may see. `availability` is for one's own country or `available_for`."""

    description: str
    facts: list[dict[str, Any]]
    story: dict[str, Any] | None
    lookbook: dict[str, Any] | None
    pictures: list[dict[str, Any]]
    availability: AvailabilityOut


@api.get("/catalog", needs=Permission.CATALOG_BROWSE, returns=CatalogPage, summary="Search the trade catalog")
def catalog(call: Call) -> CatalogPage:
    """Listed designs by q, category, metal, stone, weight_min/max (g of 18k yellow), price_max (minor units of
    `currency`), available_for (territory), saved, sort, cursor, limit."""
    asked = read_query(CatalogQuery)
    found = queries.cards(call.session, asked, user_id=call.user_id)
    counts = queries.facets(call.session, asked, user_id=call.user_id)
    sign = call.services.storage.image_url
    return CatalogPage(
        items=[
            CatalogItem(
                id=card.id,
                title=card.title,
                designer=StudioOut(id=card.org_id, name=card.org_name),
                category=card.category,
                metals=list(card.metals),
                stones=list(card.stones),
                price=_money(card),
                weight_18k_g=card.weight_18k_g,
                image_url=sign(card.cover["key"]) if card.cover else None,
                saved=card.saved,
            )
            for card in found.items
        ],
        next_cursor=found.next_cursor,
        facets={
            "total": counts.total,
            "total_capped": counts.total >= queries.COUNT_CAP,
            **{
                name: [{"value": value, "count": count} for value, count in getattr(counts, name)]
                for name in ("category", "metal", "stone")
            },
        },
    )


@api.get(
    "/catalog/<design_id>",
    needs=Permission.CATALOG_BROWSE,
    subject=load_listed,
    returns=CatalogDesign,
    summary="One listed design",
)
def catalog_design(call: Call, design: Design) -> CatalogDesign:
    """The piece with facts, story and pictures."""
    studio, saved = queries.studio_and_saved(call.session, design, call.user_id)
    found = queries.facts(call.session, design.id)
    weight = next((f.value for f in found if f.name == queries.CARD_WEIGHT and f.reason is None), None)
    sign = call.services.storage.image_url
    return CatalogDesign(
        id=design.id,
        title=design.title,
        designer=StudioOut(id=studio.id, name=studio.name),
        category=design.category,
        metals=design.metals,
        stones=design.stones,
        price=MoneyOut(amount=design.list_price.amount, currency=design.list_price.currency)
        if design.list_price
        else None,
        weight_18k_g=weight,
        image_url=sign(design.cover["key"]) if design.cover else None,
        saved=saved,
        description=design.description,
        facts=[
            {
                "name": f.name,
                "value": f.value,
                "unit": f.unit,
                "source": f.source,
                "method": f.method,
                "confidence": f.confidence,
                "confirmed": f.confirmed_at is not None,
            }
            for f in found
        ],
        story=design.story,
        lookbook=design.lookbook,
        pictures=[
            {"src": sign(best.storage_key), "width": best.width, "height": best.height}
            for best in (picture.best(FULL_WIDTH) for picture in gallery(call.session, design.id))
        ],
        availability=_availability(call, design),
    )


@api.call("PUT", "/catalog/<design_id>/save", needs=Permission.CATALOG_SAVE, subject=load_listed, summary="Save")
def save(call: Call, design: Design) -> None:
    """Remember the design; 204."""
    operations.save(call.session, call.actor, design)


@api.call("DELETE", "/catalog/<design_id>/save", needs=Permission.CATALOG_SAVE, subject=load_listed, summary="Unsave")
def unsave(call: Call, design: Design) -> None:
    """Forget the design; 204."""
    operations.unsave(call.session, call.actor, design)


def _availability(call: Call, design: Design) -> AvailabilityOut:
    """As licensing, which is above the catalog, tells it; never who holds the rest."""
    asked = request.args.get("available_for", "")
    known = {code for code, _name in countries(call.actor.locale)}
    told = current_app.extensions
    territory = asked if asked in known else told["home_country"](call.session, call.actor)
    place, channels = told["availability"](call.session, design, call.actor, territory)
    return AvailabilityOut(territory=territory, state=place.state, until=place.until, channels=channels)


def _money(card: queries.Card) -> MoneyOut | None:
    return MoneyOut(amount=card.price.amount, currency=card.price.currency) if card.price else None
