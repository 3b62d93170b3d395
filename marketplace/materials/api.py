"""Alloys and rules over the API."""

from decimal import Decimal

from pydantic import Field

from marketplace.materials import operations, queries
from marketplace.materials.access import load_entry
from marketplace.materials.models import Alloy, CastingRule
from marketplace.materials.queries import Entry
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.section import Api

api = Api("materials")


class ValueIn(Body):
    """The house's own number; null brings the published one back."""

    value: Decimal | None = Field(gt=0, max_digits=9)


class EntryOut(Body):
    """A number of the tables: `standard` as published, `own` if the organization has one."""

    id: str
    standard: float
    own: float | None
    unit: str
    source: str
    read_on: str


class AlloyOut(EntryOut):
    """A density in g/cm3 with its published range."""

    fineness: int
    low: float
    high: float


class RuleOut(EntryOut):
    """A limit of castability."""

    measure: str
    process: str
    family: str
    severity: str
    verdict: str


class MaterialsOut(Body):
    """Both tables."""

    alloys: list[AlloyOut]
    rules: list[RuleOut]


@api.get("/materials", needs=Permission.MATERIALS_EDIT, returns=MaterialsOut, summary="Alloys and casting rules")
def show(call: Call) -> MaterialsOut:
    """The numbers that weights and verdicts rest on, with their sources."""
    alloys, rules = queries.entries(call.session, call.org_id)
    return MaterialsOut(alloys=[_alloy(item) for item in alloys], rules=[_rule(item) for item in rules])


@api.call(
    "PUT",
    "/materials/<entry_id>",
    needs=Permission.MATERIALS_EDIT,
    subject=load_entry,
    body=ValueIn,
    returns=EntryOut,
    summary="Use a number of one's own",
)
def put(call: Call, entry: Entry, body: ValueIn) -> EntryOut:
    """New measurements use it; `null` brings the published number back."""
    operations.put(call.session, call.actor, entry, body.value)
    call.session.flush()
    return EntryOut.model_validate(_fields(load_entry(call.session, call.actor, entry.id)))


def _fields(item: Entry) -> dict[str, object]:
    return {
        "id": item.id,
        "standard": float(item.standard),
        "own": None if item.own is None else float(item.own),
        "unit": item.unit,
        "source": item.row.source,
        "read_on": item.row.read_on,
    }


def _alloy(item: Entry) -> AlloyOut:
    row = item.row
    assert isinstance(row, Alloy)
    more = {"fineness": row.fineness, "low": float(row.low), "high": float(row.high)}
    return AlloyOut.model_validate({**_fields(item), **more})


def _rule(item: Entry) -> RuleOut:
    row = item.row
    assert isinstance(row, CastingRule)
    named = ("measure", "process", "family", "severity", "verdict")
    return RuleOut.model_validate({**_fields(item), **{name: getattr(row, name) for name in named}})
