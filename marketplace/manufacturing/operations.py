"""NDAs signed and revoked, CAD links minted and redeemed. Every step locks the order first, so they never race."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, Organization, User
from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.designs.models import Asset
from marketplace.gateways.tokens import Purpose, Tokens
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.manufacturing import copies, nda_text
from marketplace.manufacturing.models import CadCopy, CadLink, Nda
from marketplace.manufacturing.nda_text import NdaText
from marketplace.manufacturing.rules import LINK_LIFE_S, OPEN_STATES, Conditions, refusal, same_name
from marketplace.notifications.operations import notify_org
from marketplace.orders.models import Order
from marketplace.orders.rules import CLOSED
from marketplace.policy.decide import relations_of


def current_text(session: Session, order: Order, language: str) -> NdaText:
    """The NDA in force for an awarded order; raises Conflict `not_awarded` before there is a workshop to bind."""
    if order.maker_org_id is None:
        raise Conflict("not_awarded", "The order has not been awarded yet.")
    query = select(Organization.id, Organization.name).where(
        Organization.id.in_([order.designer_org_id, order.maker_org_id])
    )
    names = {row.id: row.name for row in session.execute(query)}
    return nda_text.compose(
        order, designer=names[order.designer_org_id], maker=names[order.maker_org_id], language=language
    )


def sign_nda(
    session: Session, actor: Actor, order: Order, *, typed_name: str, sha256: str, user_agent: str | None
) -> Nda:
    """Sign the exact text that was read, named by its hash.

    Raises Forbidden `not_assigned` for anybody but the awarded workshop, Invalid when the typed name is not the
    person's own, Conflict `nda_changed` when the hash is of no current text, `already_signed`, or `nda_revoked`.
    """
    row = lock(session, Order, order.id)
    if "maker" not in relations_of(row, actor) or row.maker_org_id is None or actor.user_id is None:
        raise Forbidden("not_assigned", "Only the workshop that was awarded this order signs its NDA.")
    if row.state in CLOSED:
        raise Conflict("order_closed", "The order is closed; there is nothing to sign.")
    texts = [current_text(session, row, language) for language in nda_text.LANGUAGES]
    read = next((text for text in texts if text.sha256 == sha256.lower()), None)
    if read is None:
        raise Conflict("nda_changed", "The text has changed since you read it. Please read it again and sign.")
    if not same_name(typed_name, actor.name):
        text = "Type your name as it stands in your account."
        raise Invalid("name_mismatch", "The typed name is not your own.", fields={"typed_name": text})
    before = nda_of(session, row)
    if before is not None and before.revoked_at is not None:
        raise Conflict("nda_revoked", "The designer has revoked the NDA. Ask the production manager what to do.")
    if before is not None:
        raise Conflict("already_signed", "This NDA has already been signed for your workshop.")
    nda = Nda(
        order_id=row.id,
        maker_org_id=row.maker_org_id,
        designer_org_id=row.designer_org_id,
        version=read.version,
        language=read.language,
        text=read.text,
        sha256=read.sha256,
        typed_name=typed_name.strip()[:200],
        user_id=actor.user_id,
        ip=actor.ip,
        user_agent=(user_agent or "")[:300] or None,
    )
    session.add(nda)
    session.flush()
    record(
        session,
        actor,
        "nda.signed",
        row.id,
        owner_org_id=row.designer_org_id,
        nda=nda.id,
        version=nda.version,
        sha256=nda.sha256,
    )
    for org_id in (row.designer_org_id, row.manager_org_id):
        notify_org(
            session, org_id, "nda_signed", path=f"/orders/{row.id}", maker=actor.org_name, design=row.design_title
        )
    _prepare_copies(session, actor, row, nda)
    return nda


def revoke_nda(session: Session, actor: Actor, order: Order) -> Nda:
    """The designer closes the file: no link is made or honored once this returns. Raises Conflict `not_signed`."""
    row = lock(session, Order, order.id)
    if "designer" not in relations_of(row, actor):
        raise Forbidden("not_your_turn", "This step belongs to the other side.")
    nda = nda_of(session, row)
    if nda is None or nda.revoked_at is not None:
        raise Conflict("not_signed", "There is no NDA in force to revoke.")
    nda.revoked_at, nda.revoked_by = clock.now(), actor.user_id
    session.flush()
    record(session, actor, "nda.revoked", row.id, owner_org_id=row.designer_org_id, nda=nda.id, version=nda.version)
    for org_id in (nda.maker_org_id, row.manager_org_id):
        notify_org(session, org_id, "nda_revoked", path=f"/orders/{row.id}", design=row.design_title)
    return nda


def issue_nda(session: Session, actor: Actor, order: Order, clause: str | None) -> Order:
    """The designer issues a new version, with an optional clause of their own; older signatures stop counting."""
    row = lock(session, Order, order.id)
    if "designer" not in relations_of(row, actor):
        raise Forbidden("not_your_turn", "This step belongs to the other side.")
    if row.maker_org_id is None or row.state in CLOSED:
        raise Conflict("not_awarded", "There is no workshop at work that could sign it.")
    row.nda_version += 1
    row.nda_clause = " ".join(clause.split()) if clause else None
    session.flush()
    record(session, actor, "nda.issued", row.id, owner_org_id=row.designer_org_id, version=row.nda_version)
    notify_org(session, row.maker_org_id, "nda_issued", path=f"/orders/{row.id}/nda", design=row.design_title)
    return row


def _prepare_copies(session: Session, actor: Actor, order: Order, nda: Nda) -> None:
    """Begin with the signer's copies at once where the order is open, so that they are ready when asked for."""
    for pinned in order.cad:
        found = conditions(session, order, nda, user_id=actor.user_id, org_id=actor.org_id, asset_id=pinned["asset_id"])
        if found.all_hold and actor.user_id is not None:
            copies.own_copy(session, order, nda, pinned, actor.user_id)


def mint_link(
    session: Session, actor: Actor, order: Order, asset_id: str, tokens: Tokens
) -> tuple[str, CadLink] | CadCopy:
    """A token for one download of the person's own copy within a minute, and its row; or that copy while it is being
    prepared. Raises the refusal of the first condition.
    """
    row = lock(session, Order, order.id)
    nda = nda_of(session, row)
    pinned = next((item for item in row.cad if item["asset_id"] == asset_id), None)
    found = conditions(session, row, nda, user_id=actor.user_id, org_id=actor.org_id, asset_id=asset_id)
    if (error := refusal(found)) is not None:
        raise error
    if nda is None or pinned is None or actor.user_id is None or row.maker_org_id is None:
        raise NotFound  # impossible once every condition holds; narrows the types
    copy = copies.own_copy(session, row, nda, pinned, actor.user_id)
    if copy.state != "ready":
        return copy
    link = CadLink(
        order_id=row.id,
        design_id=row.design_id,
        asset_id=asset_id,
        filename=str(pinned["filename"])[:300],
        sha256=pinned["sha256"],
        maker_org_id=row.maker_org_id,
        designer_org_id=row.designer_org_id,
        user_id=actor.user_id,
        nda_id=nda.id,
        nda_version=nda.version,
        copy_id=copy.id,
        jti=new_id("jti"),
        expires_at=clock.now() + timedelta(seconds=LINK_LIFE_S),
    )
    session.add(link)
    session.flush()
    record(
        session,
        actor,
        "cad.link_minted",
        row.id,
        owner_org_id=row.designer_org_id,
        asset=asset_id,
        link=link.id,
        copy=copy.id,
        nda_version=nda.version,
    )
    token = tokens.sign(
        Purpose.CAD_LINK, {"jti": link.jti, "link": link.id, "user": actor.user_id, "org": row.maker_org_id}
    )
    return token, link


def redeem(session: Session, actor: Actor, payload: dict[str, str]) -> tuple[CadLink, CadCopy]:
    """Spend a link and its copy: the rows to sign an address for. Every condition is asked again, under the order's
    lock.

    Raises NotFound for a link that is not this person's, Conflict `link_used` or `link_expired`, or the refusal.
    """
    link = session.scalars(select(CadLink).where(CadLink.jti == payload.get("jti", ""))).one_or_none()
    if link is None or (link.user_id, link.maker_org_id) != (actor.user_id, actor.org_id):
        raise NotFound
    order = lock(session, Order, link.order_id)
    link = lock(session, CadLink, link.id)
    if link.used_at is not None:
        raise Conflict("link_used", "This link has already been used. Please ask for a new one.")
    if link.expires_at < clock.now():
        raise Conflict("link_expired", "This link has expired. Ask for a new one.")
    nda = nda_of(session, order)
    found = conditions(session, order, nda, user_id=link.user_id, org_id=link.maker_org_id, asset_id=link.asset_id)
    if (error := refusal(found)) is not None:
        raise error
    copy = lock(session, CadCopy, link.copy_id or "")
    if copy.state != "ready":
        raise Conflict("link_used", "This link has already been used. Please ask for a new one.")
    copies.hand_over(copy)
    link.used_at, link.used_ip = clock.now(), actor.ip
    session.flush()
    record(
        session,
        actor,
        "cad.fetched",
        order.id,
        owner_org_id=order.designer_org_id,
        asset=link.asset_id,
        link=link.id,
        copy=copy.id,
        nda_version=link.nda_version,
    )
    notify_org(
        session,
        order.designer_org_id,
        "cad_fetched",
        path=f"/orders/{order.id}#cad",
        maker=actor.org_name,
        filename=link.filename,
        design=order.design_title,
    )
    return link, copy


def nda_of(session: Session, order: Order) -> Nda | None:
    """The awarded workshop's signature under the current version, revoked or not."""
    if order.maker_org_id is None:
        return None
    query = select(Nda).where(
        Nda.order_id == order.id, Nda.maker_org_id == order.maker_org_id, Nda.version == order.nda_version
    )
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def conditions(
    session: Session, order: Order, nda: Nda | None, *, user_id: str | None, org_id: str | None, asset_id: str
) -> Conditions:
    """What holds right now for this person, workshop and file; reads people anew, never from the session's actor."""
    person = session.execute(
        select(User.email_confirmed_at, User.suspended_at, Membership.role, Organization.kind, Organization.state)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.org_id)
        .where(User.id == user_id, Organization.id == org_id)
    ).one_or_none()
    pinned = next((item for item in order.cad if item["asset_id"] == asset_id), None)
    assigned = order.maker_org_id is not None and order.maker_org_id == org_id
    asset = session.get(Asset, asset_id, populate_existing=True) if assigned and pinned else None
    return Conditions(
        member=person is not None,
        confirmed=person is not None and person.email_confirmed_at is not None,
        in_good_standing=person is not None and person.suspended_at is None,
        vetted=person is not None and person.kind == "manufacturer" and person.state == "approved",
        assigned=assigned,
        nda_signed=nda is not None,
        nda_in_force=nda is not None and nda.revoked_at is None,
        order_open=order.state in OPEN_STATES,
        file_pinned=pinned is not None,
        file_unchanged=asset is not None and pinned is not None and asset.sha256 == pinned["sha256"],
    )
