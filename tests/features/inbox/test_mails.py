"""How often mail about negotiations comes: at once, a summary in the person's morning, or never."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts.models import User
from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.inbox.digest import local_day
from marketplace.inbox.models import Digest
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.notifications.models import Mail, MailSetting
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet
from tests.kit.people import Make, Person

Jobs = Callable[..., dict[str, str]]
Mails = Callable[..., list[dict[str, Any]]]
#: Tomorrow at nine.
NINE = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)


def wants(person: Person, threads: str) -> None:
    assert person.browser.post("/settings/mail", {"threads": threads}).status_code == 303


def tick(services: Services, run_jobs: Jobs, moment: datetime) -> None:
    with clock.frozen(moment):
        with unit_of_work(services.engine, system("test")) as session:
            stage(session, JobName.SEND_DIGESTS, f"test-{moment.isoformat()}", {})
        run_jobs()


def test_a_mail_can_be_ended_with_one_click_without_signing_in(
    pair: Pair, run_jobs: Jobs, mails: Mails, app: Flask, session: Session
) -> None:
    key = pair.open()["id"]
    run_jobs()
    mail = mails(pair.designer.user.email)[-1]
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = urlsplit(mail["headers"]["List-Unsubscribe"].strip("<>"))
    path = f"{link.path}?{link.query}"
    assert path in mail["text"].replace("http://localhost:8000", "")
    visitor = app.test_client()
    assert "End these mails" in visitor.get(path).text
    assert session.scalars(select(Mail.refused).where(Mail.refused.is_not(None))).all() == []
    assert visitor.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    pair.buyer.api.post(f"/negotiations/{key}/messages", {"text": "Hello?"})
    run_jobs()
    assert mails(pair.designer.user.email)[-1]["subject"] == mail["subject"]
    assert visitor.post(path, data={"again": "immediate"}).status_code == 200
    pair.buyer.api.post(f"/negotiations/{key}/messages", {"text": "Hello again?"})
    run_jobs()
    assert "Hello again?" in mails(pair.designer.user.email)[-1]["text"]
    assert visitor.post("/mail/unsubscribe?token=forged").status_code == 400
    assert visitor.post(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 400


def test_who_takes_back_the_end_of_mails_gets_them_as_often_as_before(
    pair: Pair, run_jobs: Jobs, mails: Mails, app: Flask, session: Session
) -> None:
    pair.open()
    run_jobs()
    link = urlsplit(mails(pair.designer.user.email)[-1]["headers"]["List-Unsubscribe"].strip("<>"))
    wants(pair.designer, "daily")
    visitor, path = app.test_client(), f"{link.path}?{link.query}"
    ended = visitor.post(path, data={"List-Unsubscribe": "One-Click"})
    assert 'name="again" value="daily"' in ended.text
    assert "One summary comes in the morning" in visitor.post(path, data={"again": "daily"}).text
    kept = session.scalars(select(MailSetting.threads).where(MailSetting.user_id == pair.designer.user.id)).one()
    assert kept == "daily"


def test_a_summary_says_what_waits_for_whom(
    pair: Pair, make: Make, services: Services, run_jobs: Jobs, mails: Mails
) -> None:
    colleague = make.sign_in(make.user(pair.buyer.org, "buyer", name="Wu Fang"), pair.buyer.org, "buyer")
    pair.buyer.api.request("PUT", "/approval-limits", {"limits": {"USD": 200_000}})
    key = pair.open(royalty_percent=None)["id"]
    body = {"base_version": 1, "terms": sheet(fee={"amount": 300_000, "currency": "USD"}, royalty_percent=None)}
    assert pair.designer.api.post(f"/negotiations/{key}/offers", body).status_code == 201
    asked = pair.buyer.api.post(f"/negotiations/{key}/approvals", {"action": "accept", "version": 2})
    assert asked.status_code == 201, asked.text
    run_jobs()
    for person in (pair.buyer, colleague):
        wants(person, "daily")
    tick(services, run_jobs, NINE)
    said = {person.user.email: mails(person.user.email)[-1]["subject"] for person in (pair.buyer, colleague)}
    assert said[colleague.user.email].endswith("To approve 1")
    assert "轮到您" not in said[pair.buyer.user.email]


def test_the_morning_is_the_persons_own() -> None:
    assert local_day(None, NINE) == (NINE.date(), True)
    assert local_day(None, NINE - timedelta(hours=2)) == (NINE.date(), False)
    assert local_day("Asia/Shanghai", NINE.replace(hour=0)) == (NINE.date(), True)
    assert local_day("America/Los_Angeles", NINE) == (NINE.date(), False)
    assert local_day("Asia/Tokyo", NINE.replace(hour=16)) == ((NINE + timedelta(days=1)).date(), False)
    assert local_day("Mars/Olympus", NINE) == (NINE.date(), True)


def test_a_summary_comes_once_a_day_with_what_needs_the_reader(
    pair: Pair, services: Services, run_jobs: Jobs, mails: Mails, session: Session
) -> None:
    wants(pair.designer, "daily")
    wants(pair.buyer, "daily")
    key = pair.open(valid_until=(NINE + timedelta(days=1)).isoformat())["id"]
    pair.buyer.api.post(f"/negotiations/{key}/messages", {"text": "SECRET-WORDS"})
    run_jobs()
    assert mails(pair.designer.user.email) == mails(pair.buyer.user.email) == []
    with unit_of_work(services.engine, system("test")) as work:
        work.execute(update(User).where(User.id == pair.buyer.user.id).values(time_zone="America/Los_Angeles"))
    tick(services, run_jobs, NINE)
    tick(services, run_jobs, NINE + timedelta(hours=1))
    (mail,) = mails(pair.designer.user.email)
    assert mail["subject"] == "Your negotiations this morning: Your turn 1"
    assert f"http://localhost:8000/negotiations/{key}" in mail["links"]
    assert "Onda ring, Buyer " in mail["text"]
    assert "SECRET-WORDS" not in str(mail)
    assert pair.buyer.org.name not in str(mail)
    assert "List-Unsubscribe" in mail["headers"]
    assert "Reply-To" not in mail["headers"]
    assert mails(pair.buyer.user.email) == []
    tick(services, run_jobs, NINE + timedelta(hours=8))
    (own,) = mails(pair.buyer.user.email)
    assert pair.designer.org.name in own["text"]
    assert "即将到期" in own["subject"]
    assert len(session.scalars(select(Digest)).all()) == 2


def test_a_morning_without_news_has_no_mail(pair: Pair, services: Services, run_jobs: Jobs, mails: Mails) -> None:
    wants(pair.designer, "daily")
    tick(services, run_jobs, NINE)
    assert mails(pair.designer.user.email) == []
    wants(pair.designer, "off")
    pair.open(valid_until=(NINE + timedelta(days=5)).isoformat())
    tick(services, run_jobs, NINE + timedelta(days=1))
    assert mails(pair.designer.user.email) == []
    assert pair.designer.browser.post("/settings/mail", {"threads": "hourly"}).status_code == 422
