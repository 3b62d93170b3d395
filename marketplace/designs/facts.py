"""Facts of a design: measured values land here, people confirm or correct them."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.designs.models import Asset, Design, Fact
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid, NotFound

MAX_FACTS = 200
MAX_TEXT = 200
#: What is kept of a measurement; `low` and `high` are the grams after finishing.
_KEPT = ("value", "unit", "method", "confidence", "tolerance", "reason", "low", "high")


def write_measured(session: Session, asset: Asset) -> None:
    """Make the asset's report the design's measured facts; the caller holds the design's lock.

    A person's value stays in place and the measured one is kept beside it. A confirmation survives only when the
    value is the same as before.
    """
    if asset.design_id is None:
        return
    known = {fact.name: fact for fact in session.scalars(select(Fact).where(Fact.design_id == asset.design_id))}
    measured = {item["name"]: item for item in asset.report.get("facts", [])}
    for name, item in measured.items():
        fact = known.get(name)
        if fact is None:
            fact = Fact(design_id=asset.design_id, name=name, source="measured")
            session.add(fact)
        kept = {key: item.get(key) for key in _KEPT}
        fact.measured = kept
        if fact.source == "human":
            continue
        if fact.value != item.get("value"):
            fact.confirmed_by = fact.confirmed_at = None
        fact.asset_id, fact.source = asset.id, "measured"
        fact.value, fact.unit = item.get("value"), item.get("unit") or ""
        fact.method, fact.confidence = item.get("method") or "", item.get("confidence", 1.0)
        fact.tolerance, fact.reason = item.get("tolerance"), item.get("reason")
    for name, fact in known.items():
        if name in measured:
            continue
        if fact.source == "measured":
            session.delete(fact)
        else:
            fact.measured = None
    session.flush()


def forget_measured(session: Session, asset: Asset) -> None:
    """Remove what was measured on a file that is taken away; another ready CAD of the design takes its place."""
    session.execute(delete(Fact).where(Fact.asset_id == asset.id, Fact.source == "measured"))
    session.flush()
    query = (
        select(Asset)
        .where(
            Asset.design_id == asset.design_id,
            Asset.id != asset.id,
            Asset.kind == "cad",
            Asset.state == "ready",
            Asset.removed_at.is_(None),
        )
        .order_by(Asset.created_at.desc())
    )
    for other in session.scalars(query):
        if other.report.get("facts"):
            write_measured(session, other)
            return


def set_fact(
    session: Session,
    actor: Actor,
    design: Design,
    name: str,
    *,
    value: Any = None,
    unit: str | None = None,
    confirmed: bool = True,
) -> Fact:
    """Confirm the present value (`value` None), or state another one; returns the fact.

    A stated value gets source `human`. `confirmed=False` takes a confirmation back and, for a stated value, returns
    to the measured one. Raises NotFound for a fact that is neither there nor given a value, Invalid.
    """
    lock(session, Design, design.id)
    fact = session.get(Fact, (design.id, name))
    if fact is None:
        if value is None:
            raise NotFound
        _check_room(session, design)
        fact = Fact(design_id=design.id, name=name, source="human")
        session.add(fact)
    before = fact.value
    if not confirmed:
        _take_back(fact)
    else:
        if value is not None and value != fact.value:
            _state(fact, value, unit)
        elif fact.value is None:
            raise Invalid("no_value", "There is no value to confirm; state one.", fields={"/value": "State a value."})
        fact.confirmed_by, fact.confirmed_at = actor.user_id, clock.now()
    session.flush()
    record(
        session,
        actor,
        "fact.confirmed" if confirmed else "fact.unconfirmed",
        design.id,
        owner_org_id=design.org_id,
        name=name,
        before=before,
        after=fact.value,
    )
    return fact


def _state(fact: Fact, value: Any, unit: str | None) -> None:
    expected = fact.measured["value"] if fact.measured else fact.value
    if isinstance(expected, bool) != isinstance(value, bool) and expected is not None:
        raise Invalid("bad_value", "This fact is yes or no.", fields={"/value": "Choose yes or no."})
    if isinstance(expected, int | float) and not isinstance(value, int | float):
        raise Invalid("bad_value", "This fact is a number.", fields={"/value": "Write a number in digits."})
    if isinstance(value, int | float) and not isinstance(value, bool) and not 0 <= value <= 10**9:
        raise Invalid("bad_value", "The number cannot be right.", fields={"/value": "The number cannot be right."})
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise Invalid("bad_value", "The text is too long.", fields={"/value": "Use at most 200 characters."})
    fact.value, fact.source, fact.method = value, "human", "stated by the designer"
    fact.confidence, fact.tolerance, fact.reason = 1.0, None, None
    if unit is not None and not fact.measured:
        fact.unit = unit


def _take_back(fact: Fact) -> None:
    fact.confirmed_by = fact.confirmed_at = None
    if fact.source == "human" and fact.measured:
        old = fact.measured
        fact.source, fact.value, fact.unit = "measured", old["value"], old["unit"] or ""
        fact.method, fact.confidence = old["method"] or "", old["confidence"]
        fact.tolerance, fact.reason = old["tolerance"], old["reason"]


def _check_room(session: Session, design: Design) -> None:
    names = session.scalars(select(Fact.name).where(Fact.design_id == design.id).limit(MAX_FACTS + 1)).all()
    if len(names) >= MAX_FACTS:
        raise Invalid("too_many_facts", "A design has at most 200 facts.")
