"""Jobs of negotiations and licenses: the agreement's PDF, and what ends by the clock."""

import hashlib
from functools import lru_cache

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, Organization, User
from marketplace.app import create_app
from marketplace.gateways.documents import make_pdf
from marketplace.licensing import endings, holds, operations, serials
from marketplace.licensing.contract import addenda, breach, events, life, papers
from marketplace.licensing.contract.certificate import signed_content
from marketplace.licensing.contract.content import STANDARDS, TEMPLATE, Draft
from marketplace.licensing.contract.content import addendum as addendum_drawn_up
from marketplace.licensing.contract.content import agreement as drawn_up
from marketplace.licensing.models import Addendum, AgreementText, License, Negotiation
from marketplace.licensing.refusal import operations as asking
from marketplace.licensing.refusal import telling
from workers.run import Run


def make_document(run: Run, license_id: str, signed: bool, addendum_id: str | None = None) -> None:
    """Make the agreement (or an addendum), or the signed one with its certificate and seal, and store it.

    Its content is put down when it is drawn up, so repeated after a crash it makes the same bytes for the same
    license, and nothing that was signed is replaced. A seal differs each time; the first that is attached stands.
    """
    with run.phase(10) as session:
        held = session.get_one(License, license_id)
        paper = held if addendum_id is None else session.get_one(Addendum, addendum_id)
        if (paper.signed_document_key if signed else paper.document_key) is not None:
            return
        kept = session.get(AgreementText, paper.id)
        draft = _draft(session, held, run.services.settings.brand_name)
        marks, log = papers.signatures_under(session, paper), events.log_of(session, license_id)
    if kept is None:
        with _app().app_context():
            content = drawn_up(draft) if isinstance(paper, License) else addendum_drawn_up(draft, paper)
        with run.phase(30) as session:
            content = papers.keep_text(session, paper, content)
    else:
        content = kept.content
    if signed:
        content = signed_content(content, paper, marks, log, run.services.settings.base_url)
    moment = paper.signed_at if signed and paper.signed_at else paper.created_at
    pdf = make_pdf(TEMPLATE, content, moment, standards=STANDARDS)
    sealed_at = None
    if signed:
        brand = run.services.settings.brand_name
        pdf = run.services.seals.seal(pdf, reason="Signed by all parties", place=brand)
        sealed_at = run.services.seals.read(pdf).at
    digest = hashlib.sha256(pdf).hexdigest()
    key = f"licenses/{digest}.pdf"
    run.progress(70)
    run.services.storage.put(key, pdf, "application/pdf", digest)
    with run.phase(95) as session:
        if sealed_at is not None:
            papers.attach_signed(session, run.actor, paper, key=key, sha256=digest, sealed_at=sealed_at)
        elif addendum_id is None:
            operations.document_made(session, run.actor, license_id, key=key, sha256=digest)
        else:
            addenda.document_made(session, run.actor, addendum_id, key=key, sha256=digest)


def tell_edition(run: Run, license_id: str, share: int, used: int, limit: int) -> None:
    """Tell every other licensee of the design that its edition is nearly, or all, ordered."""
    with run.phase() as session:
        serials.tell_others(session, license_id, share=share, used=used, limit=limit)


def expire(run: Run) -> None:
    """Close negotiations whose time has run out, and take licenses on whose time has come."""
    more = True
    while more:
        with run.phase() as session:
            closed = endings.expire_due(session, run.actor, limit=100)
            moved = [step(session, run.actor, limit=100) for step in _BY_THE_CLOCK]
        more = 100 in {closed, *moved}


_BY_THE_CLOCK = (
    holds.release_due,
    asking.fall_silent,
    asking.keep_true,
    telling.tell_answers,
    life.expire_due,
    life.lapse_addenda,
    breach.say_time_is_over,
    breach.lapse_notices,
    life.give_notices,
    life.ask_for_attestations,
)


def _draft(session: Session, held: License, brand: str) -> Draft:
    locales = set(
        session.scalars(
            select(User.locale)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.org_id.in_([held.designer_org_id, held.buyer_org_id]))
        )
    )
    governing = str(held.terms.get("governing_language") or "en")
    wanted = [governing, *sorted(locales)]
    return Draft(
        license=held,
        negotiation=session.get_one(Negotiation, held.negotiation_id),
        designer=session.get_one(Organization, held.designer_org_id),
        buyer=session.get_one(Organization, held.buyer_org_id),
        second=next((locale for locale in wanted if locale.startswith("zh")), None),
        brand=brand,
    )


@lru_cache(maxsize=1)
def _app() -> Flask:
    """Only for its translations."""
    return create_app()
