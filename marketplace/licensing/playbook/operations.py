"""Keeping term sheets, prices of metal and approval limits. Nothing here commits."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock, lock_name
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid
from marketplace.kernel.money import CURRENCIES
from marketplace.licensing.playbook.approvals import approvers as approvers_of
from marketplace.licensing.playbook.models import ApprovalPolicy, DesignSheet, MetalPrice, TermSheet
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import ALLOYS_OF
from marketplace.notifications.operations import notify_org

#: What belongs to one offer or one piece and not to a sheet that is used again.
NOT_KEPT = ("start", "valid_until", "brief", "customization")
#: Term sheets of one studio.
MOST = 50

_ALLOYS = frozenset(alloy for alloys in ALLOYS_OF.values() for alloy in alloys)


def keep(session: Session, actor: Actor, name: str, terms: Terms) -> TermSheet:
    """Keep `terms` under `name`. Raises Conflict `name_taken`, `too_many`."""
    org_id, user_id = _member(actor)
    lock_name(session, f"term sheets {org_id}")
    _check_name(session, org_id, name)
    count = select(func.count()).where(TermSheet.org_id == org_id, TermSheet.deleted_at.is_(None))
    if session.scalars(count).one() >= MOST:
        raise Conflict("too_many", "Keep at most 50 term sheets; delete one you no longer use.")
    made = TermSheet(org_id=org_id, name=name, terms=_kept(terms), user_id=user_id)
    session.add(made)
    session.flush()
    record(session, actor, "term_sheet.kept", made.id, owner_org_id=org_id)
    return made


def change(session: Session, actor: Actor, sheet: TermSheet, name: str, terms: Terms, version: int) -> TermSheet:
    """Put other terms in its place. Raises Conflict `stale_version` when a colleague was faster, `name_taken`."""
    org_id, user_id = _member(actor)
    lock_name(session, f"term sheets {org_id}")
    row = lock(session, TermSheet, sheet.id)
    if row.deleted_at is not None:
        raise Conflict("deleted", "This term sheet was deleted. Bring it back first.")
    if row.version != version:
        raise Conflict(
            "stale_version",
            "A colleague has changed this meanwhile. Look at it again.",
            extra={"current_version": row.version},
        )
    _check_name(session, org_id, name, but=row.id)
    row.name, row.terms, row.version = name, _kept(terms), version + 1
    row.user_id, row.updated_at = user_id, clock.now()
    record(session, actor, "term_sheet.changed", row.id, owner_org_id=org_id, version=row.version)
    return row


def remove(session: Session, actor: Actor, sheet: TermSheet) -> None:
    """Delete; harmless when repeated. It can be brought back, no longer published."""
    row = lock(session, TermSheet, sheet.id)
    if row.deleted_at is None:
        row.deleted_at, row.is_default = clock.now(), False
        record(session, actor, "term_sheet.deleted", row.id, owner_org_id=row.org_id)


def bring_back(session: Session, actor: Actor, sheet: TermSheet) -> None:
    """Undo the deletion. Raises Conflict `name_taken` when another sheet has the name now."""
    org_id, _user_id = _member(actor)
    lock_name(session, f"term sheets {org_id}")
    row = lock(session, TermSheet, sheet.id)
    if row.deleted_at is not None:
        _check_name(session, org_id, row.name, but=row.id)
        row.deleted_at = None
        record(session, actor, "term_sheet.restored", row.id, owner_org_id=org_id)


def publish(session: Session, actor: Actor, sheet: TermSheet, *, wanted: bool) -> None:
    """Make it the sheet that buyers of the studio's designs start from, in place of any other; or no longer."""
    org_id, _user_id = _member(actor)
    lock_name(session, f"term sheets {org_id}")
    row = lock(session, TermSheet, sheet.id)
    if row.deleted_at is not None:
        raise Conflict("deleted", "This term sheet was deleted. Bring it back first.")
    session.execute(update(TermSheet).where(TermSheet.org_id == org_id, TermSheet.is_default).values(is_default=False))
    session.refresh(row)
    row.is_default = wanted
    record(session, actor, "term_sheet.published" if wanted else "term_sheet.unpublished", row.id, owner_org_id=org_id)


def choose(session: Session, actor: Actor, design: Design, sheet_id: str | None) -> None:
    """Make offers for `design` start from one of the studio's sheets; None: from the published one, if there is one.

    Raises Invalid for a sheet that the studio does not have (any more).
    """
    org_id, user_id = _member(actor)
    lock_name(session, f"term sheets {org_id}")
    session.execute(delete(DesignSheet).where(DesignSheet.design_id == design.id))
    if sheet_id:
        sheet = session.get(TermSheet, sheet_id)
        if sheet is None or sheet.org_id != org_id or sheet.deleted_at is not None:
            words = "Choose one of your term sheets."
            raise Invalid("invalid", words, fields={"sheet": words})
        session.add(DesignSheet(design_id=design.id, org_id=org_id, sheet_id=sheet_id, user_id=user_id))
    record(session, actor, "term_sheet.chosen", design.id, owner_org_id=org_id, sheet=sheet_id)


def set_prices(session: Session, actor: Actor, currency: str, prices: Mapping[str, int]) -> None:
    """Replace the studio's prices of metal in one currency: alloy -> minor units a gram, above 0."""
    org_id, _user_id = _member(actor)
    if currency not in CURRENCIES or set(prices) - _ALLOYS or any(amount <= 0 for amount in prices.values()):
        raise Invalid("bad_price", "A price is above zero, of an alloy and in a currency we know.")
    lock_name(session, f"metal prices {org_id}")
    session.execute(delete(MetalPrice).where(MetalPrice.org_id == org_id, MetalPrice.currency == currency))
    for alloy, amount in sorted(prices.items()):
        session.add(MetalPrice(org_id=org_id, alloy=alloy, currency=currency, amount=amount))
    record(session, actor, "metal_prices.set", org_id, owner_org_id=org_id, currency=currency, alloys=len(prices))


def set_limits(session: Session, actor: Actor, limits: Mapping[str, int], named: Sequence[str]) -> ApprovalPolicy:
    """Set the amounts above which a colleague approves (by currency, minor units), and who may besides administrators.

    Everybody in the organization is told. Raises Forbidden for others than administrators; Conflict
    `nobody_to_approve` when limits would leave fewer than two people to ask and to decide.
    """
    org_id, user_id = _member(actor)
    if not actor.is_admin:
        raise Forbidden("forbidden", "Your role does not allow this.")
    if set(limits) - set(CURRENCIES) or any(amount < 0 for amount in limits.values()):
        raise Invalid("bad_limit", "A limit is 0 or more, in a currency we trade in.")
    lock_name(session, f"limits {org_id}")
    row = session.get(ApprovalPolicy, org_id)
    before: dict[str, Any] = dict(row.limits) if row else {}
    if row is None:
        row = ApprovalPolicy(org_id=org_id, updated_by=user_id)
        session.add(row)
    row.limits, row.approvers = dict(limits), sorted(set(named))
    row.updated_at, row.updated_by = clock.now(), user_id
    session.flush()
    if limits and len(approvers_of(session, org_id, row)) < 2:
        raise Conflict(
            "nobody_to_approve",
            "Name a second person who may approve; nobody approves their own deals.",
        )
    record(session, actor, "limits.changed", org_id, owner_org_id=org_id, before=before, after=dict(limits))
    if before != dict(limits):
        notify_org(session, org_id, "limits_changed", path="/approvals/limits", colleague=actor.name)
    return row


def _kept(terms: Terms) -> dict[str, Any]:
    return {k: v for k, v in terms.to_json().items() if k not in NOT_KEPT}


def _check_name(session: Session, org_id: str, name: str, but: str = "") -> None:
    query = select(TermSheet.id).where(
        TermSheet.org_id == org_id,
        func.lower(TermSheet.name) == name.lower(),
        TermSheet.deleted_at.is_(None),
        TermSheet.id != but,
    )
    if session.scalars(query).first() is not None:
        text = "Another term sheet has this name."
        raise Conflict("name_taken", text, fields={"name": text})


def _member(actor: Actor) -> tuple[str, str]:
    if actor.org_id is None or actor.user_id is None:
        raise Forbidden("forbidden", "Your role does not allow this.")
    return actor.org_id, actor.user_id
