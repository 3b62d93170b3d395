"""Making, changing, listing and removing designs. Files are in uploads.py, facts in facts.py."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.designs import rules
from marketplace.designs.models import Asset, Design
from marketplace.designs.pictures import Picture, gallery
from marketplace.designs.words import search_text
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import CURRENCIES, Money
from marketplace.policy.decide import relations_of

PayoutCheck = Callable[[Session, str], bool]
_payout_checks: list[PayoutCheck] = []
#: What a design that is already listed may not lose. Files that are still being checked do not undo a listing.
_KEPT_WHILE_LISTED = frozenset({"title", "category", "description", "picture", "cad", "price"})


def register_payout_check(check: PayoutCheck) -> PayoutCheck:
    """Let the payments feature say whether an organization can be paid; the checklist then shows it as advice."""
    _payout_checks[:] = [check]
    return check


def create_design(
    session: Session,
    actor: Actor,
    *,
    title: str,
    category: str | None = None,
    description: str = "",
    details: Mapping[str, Any] | None = None,
    list_price: Money | None = None,
    no_cad_reason: str | None = None,
) -> Design:
    """A new draft of the actor's organization. Raises Invalid."""
    if actor.org_id is None:
        raise NotFound
    design = Design(org_id=actor.org_id, title=title, category=category, description=description)
    design.details = dict(details or {})
    design.no_cad_reason = no_cad_reason
    _set_price(design, list_price)
    _index(design)
    session.add(design)
    session.flush()
    record(session, actor, "design.created", design.id, owner_org_id=design.org_id)
    return design


def edit_design(
    session: Session, actor: Actor, design: Design, changes: Mapping[str, Any], *, base_version: int | None = None
) -> Design:
    """Change any of title, category, description, details, list_price, no_cad_reason.

    Raises Conflict `stale_version` when `base_version` is given and not the present one, and `listed_incomplete` when
    a listed design would lose what listing needs.
    """
    row = lock(session, Design, design.id)
    if base_version is not None and base_version != row.version:
        raise Conflict(
            "stale_version",
            "Somebody changed this design meanwhile. Reload it and make your change again.",
            extra={"version": row.version},
        )
    unknown = set(changes) - {"title", "category", "description", "details", "list_price", "no_cad_reason"}
    if unknown:
        raise ValueError(f"a design has no {sorted(unknown)}")
    for name in ("title", "category", "description", "no_cad_reason"):
        if name in changes:
            setattr(row, name, changes[name])
    if "details" in changes:
        row.details = dict(changes["details"])
    if "list_price" in changes:
        _set_price(row, changes["list_price"])
    row.version += 1
    _index(row)
    session.flush()
    check_still_listable(session, row)
    record(session, actor, "design.edited", row.id, owner_org_id=row.org_id, fields=sorted(changes))
    return row


def list_design(session: Session, actor: Actor, design: Design) -> Design:
    """Put the design into the catalog.

    Raises Conflict `not_listable` with the checklist in `extra`, or when the state does not allow it.
    """
    row = lock(session, Design, design.id)
    rules.DESIGN.target(row.state, "list", relations_of(row, actor), row)
    checks = rules.checklist(_readiness_now(session, row))
    if rules.blocking(checks):
        raise Conflict(
            "not_listable",
            "Some things are still missing before this design can be listed.",
            extra={"checklist": checklist_json(checks)},
        )
    before = rules.DESIGN.advance(row, "list", relations_of(row, actor))
    row.listed_at, row.purge_after = clock.now(), None
    row.version += 1
    record(session, actor, "design.listed", row.id, owner_org_id=row.org_id, before=before, after=row.state)
    return row


def unlist_design(session: Session, actor: Actor, design: Design) -> Design:
    """Take the design out of the catalog; its files are kept for 90 days and it can be listed again meanwhile."""
    row = lock(session, Design, design.id)
    before = rules.DESIGN.advance(row, "unlist", relations_of(row, actor))
    row.purge_after = clock.now() + rules.KEEP_REMOVED
    row.version += 1
    # Those who negotiated, licensed or make it still see its cover: from now on a copy with their name across it.
    stage(session, JobName.MARK_COVERS, f"{row.id}:{row.version}", {}, subject=row.id, org_id=row.org_id)
    record(session, actor, "design.unlisted", row.id, owner_org_id=row.org_id, before=before, after=row.state)
    return row


def readiness(
    session: Session, design: Design, assets: Sequence[Asset], pictures: Sequence[Picture]
) -> rules.Readiness:
    """What the checklist looks at, from rows that were already read (plus the payout check, if there is one)."""
    present = [a for a in assets if a.removed_at is None]
    payouts = _payout_checks[0](session, design.org_id) if _payout_checks else None
    return rules.Readiness(
        title=design.title,
        category=design.category,
        description=design.description,
        has_price=design.list_price_amount is not None,
        approved_story=design.story is not None,
        pictures=len(pictures),
        ready_cad=sum(a.kind == "cad" and a.state == "ready" for a in present),
        no_cad_reason=design.no_cad_reason,
        unfinished=sum(a.state in {"uploaded", "processing"} for a in present),
        rejected=sum(a.state == "rejected" for a in present),
        payouts=payouts,
    )


def check_still_listable(session: Session, design: Design) -> None:
    """Raise Conflict when a listed design lost something that listing needs; nothing for other states."""
    if design.state != "listed":
        return
    checks = rules.checklist(_readiness_now(session, design))
    lost = [check for check in rules.blocking(checks) if check.code in _KEPT_WHILE_LISTED]
    if lost:
        raise Conflict(
            "listed_incomplete",
            "This design is listed and must keep what listing needs. Take it out of the catalog first.",
            extra={"checklist": checklist_json(checks)},
        )


def checklist_json(checks: Sequence[rules.Check]) -> list[dict[str, Any]]:
    """The checklist as the API shows it."""
    return [{"code": c.code, "done": c.done, "blocking": c.blocking} for c in checks]


def _readiness_now(session: Session, design: Design) -> rules.Readiness:
    query = select(Asset).where(Asset.design_id == design.id, Asset.removed_at.is_(None)).limit(1000)
    return readiness(session, design, session.scalars(query).all(), gallery(session, design.id))


def _set_price(design: Design, price: Money | None) -> None:
    if price is None:
        design.list_price_amount = design.list_price_currency = None
        return
    if price.amount < 0:
        raise Invalid("negative_fee", "The license fee cannot be negative.", fields={"list_price": "Write 0 or more."})
    if price.currency not in CURRENCIES:
        raise Invalid(
            "unknown_currency", "This currency is not traded here.", fields={"list_price": "Choose another currency."}
        )
    design.list_price_amount, design.list_price_currency = price.amount, price.currency


def _index(design: Design) -> None:
    words = [str(word) for word in (*design.metals, *design.stones)]
    design.search = search_text([design.title, design.category or "", *words, design.description])
