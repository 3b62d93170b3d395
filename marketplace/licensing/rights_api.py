"""Rights over the API: the owner's map, the check of a draft, holds."""

from datetime import datetime
from typing import Any

from flask import request
from pydantic import BaseModel, Field

from marketplace.catalog.access import load_listed
from marketplace.designs.access import load_design
from marketplace.designs.models import Design
from marketplace.licensing import findings, holds
from marketplace.licensing.access import load_negotiation
from marketplace.licensing.models import Negotiation
from marketplace.licensing.rights import FOREVER
from marketplace.licensing.rights_map import read_map
from marketplace.licensing.terms import Terms
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body, Version
from marketplace.web.section import Api

api = Api("rights")

#: Grants in one answer.
GRANTS = 200


class GrantOut(BaseModel):
    """One license or hold. Empty lists mean everything; `until` null is for good; `held_until` is set for a hold."""

    license: str | None
    negotiation: str
    holder: str
    kind: str
    territories: list[str]
    channels: list[str]
    categories: list[str]
    metals: list[str]
    begins: datetime
    until: datetime | None
    held_until: datetime | None
    units: int


class PlaceOut(BaseModel):
    """A country that is not simply open: shared, partly or taken, and until when."""

    state: str
    until: datetime | None


class RightsOut(BaseModel):
    """Who holds what of one's own design; countries that are not in `places` are open.

    `grants` are 200 of `total` at a time.
    """

    design: str
    grants: list[GrantOut]
    next_cursor: str | None
    total: int
    places: dict[str, PlaceOut]
    units: int
    edition: int | None


class DraftIn(Body):
    """Terms that somebody thinks of offering."""

    terms: Terms


class OfferedOut(BaseModel):
    """A free scope: the terms as they would be, the fields that differ, what it costs (smaller is nearer)."""

    terms: dict[str, Any]
    changed: list[str]
    cost: float


class CheckOut(BaseModel):
    """Whether a draft is free, what stands against it in words, and the nearest terms that are free."""

    free: bool
    reasons: list[str]
    offers: list[OfferedOut]


class HoldIn(Body):
    """The version on the table, and for how many days."""

    version: Version
    days: int = Field(ge=1, le=14)


class HoldOut(BaseModel):
    """Until when the rights of a version are held."""

    negotiation: str
    version: int
    held_until: datetime


@api.get(
    "/designs/<design_id>/rights",
    needs=Permission.DESIGN_READ,
    subject=load_design,
    returns=RightsOut,
    summary="Who holds what of a design",
)
def design_rights(call: Call, design: Design) -> RightsOut:
    """For the owner alone; buyers read `availability` in the catalog. The `cursor` leads to further grants."""
    page = read_map(call.session, call.actor, design, cursor=request.args.get("cursor"), limit=GRANTS)
    return RightsOut(
        design=design.id,
        grants=[
            GrantOut(
                license=None if held.row.held_until else held.row.source_id,
                negotiation=held.row.negotiation_id,
                holder=held.holder,
                kind=held.row.kind,
                **{
                    name: held.row.terms.get(name) or [] for name in ("territories", "channels", "categories", "metals")
                },
                begins=held.scope.begins,
                until=None if held.scope.until == FOREVER else held.scope.until,
                held_until=held.row.held_until,
                units=held.used,
            )
            for held in page.grants
        ],
        next_cursor=page.next_cursor,
        total=page.total,
        places={code: PlaceOut(state=place.state, until=place.until) for code, place in sorted(page.places.items())},
        units=page.numbered,
        edition=page.edition,
    )


@api.call(
    "POST",
    "/catalog/<design_id>/rights",
    needs=Permission.NEGOTIATION_OPEN,
    subject=load_listed,
    body=DraftIn,
    returns=CheckOut,
    summary="Check terms against what is granted",
)
def check(call: Call, design: Design, body: DraftIn) -> CheckOut:
    """Nothing is sent or kept. The other parties stay unknown."""
    found = findings.look(call.session, design, body.terms, holder=call.org_id)
    return CheckOut(
        free=found.free,
        reasons=found.reasons,
        offers=[
            OfferedOut(
                terms={**body.terms.to_json(), **findings.terms_of(body.terms, made)},
                changed=list(made.changed),
                cost=round(made.cost, 4),
            )
            for made in found.suggestions
        ],
    )


@api.call(
    "POST",
    "/negotiations/<negotiation_id>/hold",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    body=HoldIn,
    returns=HoldOut,
    status=201,
    summary="Hold the rights of the offer on the table",
)
def hold(call: Call, negotiation: Negotiation, body: HoldIn) -> HoldOut:
    """For the designer; at most until the offer lapses. 409 `rights_conflict`, `stale_version`."""
    made = holds.hold(call.session, call.actor, negotiation.id, version=body.version, days=body.days)
    return HoldOut(negotiation=negotiation.id, version=made.version, held_until=made.held_until)


@api.call(
    "DELETE",
    "/negotiations/<negotiation_id>/hold",
    needs=Permission.NEGOTIATION_ACT,
    subject=load_negotiation,
    summary="Let go of held rights",
)
def release(call: Call, negotiation: Negotiation) -> None:
    """204, also when nothing was held."""
    holds.release_hold(call.session, call.actor, negotiation.id)
