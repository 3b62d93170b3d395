"""Who the buyer is: hidden from the designer everywhere until the agreement, then shown everywhere, seen by both."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.models import AuditEvent
from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing import identity
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.rules import alias_code
from marketplace.notifications.models import Notification
from marketplace.privacy.personal_data import collect
from marketplace.services import Services
from tests.features.licensing.conftest import Pair

Jobs = Callable[..., dict[str, str]]
Mails = Callable[..., list[dict[str, Any]]]
NAME = "Maison Quetzal"


def seen_by_the_designer(pair: Pair, key: str, mails: Mails, session: Session) -> dict[str, str]:
    """Everything that tells the designer of the buyer, by where."""
    api, browser = pair.designer.api, pair.designer.browser
    found = {
        path: api.get(path).text for path in (f"/negotiations/{key}", "/negotiations", f"/negotiations/{key}/messages")
    }
    pages = (
        "/negotiations",
        f"/negotiations/{key}",
        f"/negotiations/{key}/counter",
        "/notifications",
        "/audit",
        "/home",
    )
    found |= {f"page {path}": browser.get(path).get_data(as_text=True) for path in pages}
    found["search by name"] = str(api.get("/negotiations?q=Quetzal").get_json()["items"])
    found["mails"] = json.dumps(mails(pair.designer.user.email), ensure_ascii=False)
    found["export"] = json.dumps(collect(session, pair.designer.user.id), ensure_ascii=False, default=str)
    return found


def test_nothing_tells_the_name_before_the_agreement_and_everything_after(
    pair: Pair, services: Services, run_jobs: Jobs, mails: Mails, session: Session
) -> None:
    with unit_of_work(services.engine, system("test")) as work:
        work.execute(update(Organization).where(Organization.id == pair.buyer.org.id).values(name=NAME))
    nine = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    key = pair.open(valid_until=(nine + timedelta(days=1)).isoformat())["id"]
    pair.buyer.api.post(f"/negotiations/{key}/messages", {"text": "您好，请看一下。"})
    run_jobs()
    pair.designer.browser.post("/settings/mail", {"threads": "daily"})
    with clock.frozen(nine):
        with unit_of_work(services.engine, system("test")) as work:
            stage(work, JobName.SEND_DIGESTS, "identity", {})
        run_jobs()
    secrets = (NAME, pair.buyer.org.id, pair.buyer.user.name, pair.buyer.user.email, pair.buyer.user.id)
    for where, text in seen_by_the_designer(pair, key, mails, session).items():
        leaked = [secret for secret in secrets if secret in text]
        assert leaked == [], f"{where} tells {leaked}"
    alias = f"Buyer {alias_code(pair.buyer.org.id, pair.design_id)}"
    assert alias in mails(pair.designer.user.email)[-1]["text"]
    assert (
        pair.designer.api.get(f"/negotiations?q={alias.replace(' ', '+')}").get_json()["items"][0]["counterpart"]
        == alias
    )

    assert "协议会写明双方的名称和地址" in pair.buyer.browser.get(f"/negotiations/{key}").get_data(as_text=True)
    assert "it names both parties to each other" in pair.designer.browser.get(f"/negotiations/{key}").get_data(True)
    license_id = pair.designer.api.post(f"/negotiations/{key}/accept", {"version": 1}).get_json()["license"]
    assert NAME not in pair.designer.api.get(f"/licenses/{license_id}").text, "the agreement is not drawn up yet"
    run_jobs()
    with unit_of_work(services.engine, system("test")) as work:
        identity.unlock(work, system("test"), work.get_one(License, license_id))
    assert NAME in pair.designer.api.get(f"/licenses/{license_id}").text
    shown = seen_by_the_designer(pair, key, mails, session)
    for where in (f"/negotiations/{key}", "/negotiations", "page /negotiations", f"page /negotiations/{key}"):
        assert NAME in shown[where], where
        assert alias not in shown[where], where
    assert key in shown["search by name"]
    assert f"You now see who the buyer is: {NAME}." in shown[f"page /negotiations/{key}"]
    own = pair.buyer.browser.get(f"/negotiations/{key}").get_data(as_text=True)
    assert "设计师现在可以看到您的名称，因为协议写明了双方。" in own
    events = session.scalars(
        select(AuditEvent.owner_org_id).where(AuditEvent.action == "negotiation.buyer_named").order_by(AuditEvent.id)
    ).all()
    assert sorted(events, key=str) == sorted([pair.designer.org.id, pair.buyer.org.id])
    told = session.execute(
        select(Notification.user_id, Notification.kind).where(
            Notification.kind.in_(("buyer_named_to_you", "you_were_named"))
        )
    ).all()
    assert sorted(told) == sorted(
        [(pair.designer.user.id, "buyer_named_to_you"), (pair.buyer.user.id, "you_were_named")]
    )
    assert session.get_one(Negotiation, key).buyer_named_at is not None
