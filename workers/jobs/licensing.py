"""Jobs of negotiations and licenses: the agreement's PDF, and what ends by the clock."""

import hashlib
from functools import lru_cache

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, Organization, User
from marketplace.app import create_app
from marketplace.gateways.documents import make_pdf
from marketplace.licensing import endings, operations, queries
from marketplace.licensing.agreement import TEMPLATE, Draft, values
from marketplace.licensing.contract import life
from marketplace.licensing.models import License, Negotiation
from workers.run import Run


def make_document(run: Run, license_id: str, signed: bool) -> None:
    """Make the agreement, or the one with the signature page, and store it under a name made of its content.

    Repeated after a crash it makes the same bytes for the same license, so nothing that was signed is replaced.
    """
    with run.phase(10) as session:
        held = session.get_one(License, license_id)
        if (held.signed_document_key if signed else held.document_key) is not None:
            return
        draft = _draft(session, held, run.services.settings.brand_name, signed=signed)
    with _app().app_context():
        content = values(draft)
    moment = held.signed_at if signed and held.signed_at else held.created_at
    pdf = make_pdf(TEMPLATE, content, moment)
    digest = hashlib.sha256(pdf).hexdigest()
    key = f"licenses/{digest}.pdf"
    run.progress(70)
    run.services.storage.put(key, pdf, "application/pdf", digest)
    with run.phase(95) as session:
        attach = operations.signed_document_made if signed else operations.document_made
        attach(session, run.actor, license_id, key=key, sha256=digest)


def expire(run: Run) -> None:
    """Close negotiations whose time has run out, and take licenses on whose time has come."""
    more = True
    while more:
        with run.phase() as session:
            closed = endings.expire_due(session, run.actor, limit=100)
            moved = [step(session, run.actor, limit=100) for step in _BY_THE_CLOCK]
        more = 100 in {closed, *moved}


_BY_THE_CLOCK = (life.expire_due, life.lapse_addenda, life.give_notices, life.ask_for_attestations)


def _draft(session: Session, held: License, brand: str, *, signed: bool) -> Draft:
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
        signatures=queries.signatures(session, held.id) if signed else [],
        second=next((locale for locale in wanted if locale.startswith("zh")), None),
        brand=brand,
    )


@lru_cache(maxsize=1)
def _app() -> Flask:
    """Only for its translations."""
    return create_app()
