"""Signing: in order, by a proven person, typed or drawn, with what was told on record."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from marketplace.accounts import step_up
from marketplace.accounts.models import ApiToken, LoginSession
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.errors import DomainError, Invalid
from marketplace.licensing import operations
from marketplace.licensing.contract import life
from marketplace.licensing.contract.disclosure import LANGUAGES, disclosure
from marketplace.licensing.contract.drawn import checked, svg
from marketplace.licensing.contract.events import entry_hash, log_of, unbroken
from marketplace.licensing.contract.signing import Given, whose_turn
from marketplace.licensing.models import License, Signature
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.contracts import SYSTEM, Contract, Jobs
from tests.kit.people import PASSWORD

STROKES = "M50 150L80 60L120 140L160 50L200 150L260 100.5L320 120L380 90L440 130"


@pytest.fixture
def contract(pair: Pair, services: Services, run_jobs: Jobs) -> Contract:
    """An agreement that waits for its first signature."""
    made = Contract(pair, services, run_jobs)
    run_jobs()
    return made


def age(services: Services, table: type[ApiToken] | type[LoginSession], minutes: int) -> None:
    """Let every session or token have been proved so long ago."""
    column = {ApiToken: "created_at", LoginSession: "proved_at"}[table]
    with unit_of_work(services.engine, SYSTEM) as session:
        session.execute(update(table).values({column: clock.now() - timedelta(minutes=minutes)}))


def test_the_second_side_is_asked_when_the_first_has_signed(contract: Contract, session: object) -> None:
    refused = contract.sign("buyer", status=409)
    assert (refused["code"], refused["signs_first"]) == ("signs_later", "designer")
    page = contract.pair.buyer.browser.get(contract.path, headers={"Accept-Language": "en"})
    assert "/sign" not in page.get_data(as_text=True).partition('id="license"')[2]
    contract.sign("designer")
    assert contract.sign("designer", status=409)["code"] == "already_signed"
    assert contract.sign("buyer")["state"] == "active"
    assert [whose_turn("buyer", signed) for signed in (set(), {"buyer"}, {"buyer", "designer"})] == [
        "buyer",
        "designer",
        None,
    ]


def test_an_old_token_needs_the_password_and_a_wrong_one_is_no_proof(contract: Contract, services: Services) -> None:
    age(services, ApiToken, 16)
    assert contract.sign("designer", status=403)["code"] == "step_up_required"
    assert contract.sign("designer", status=422, password="not this one")["code"] == "bad_password"
    contract.sign("designer", password=PASSWORD)
    with services.engine.connect() as connection:
        kept = connection.execute(select(Signature.proved_at, Signature.at)).one()
    assert kept.at - kept.proved_at < timedelta(seconds=30)


def test_guessing_the_password_of_a_signature_is_limited(contract: Contract, services: Services) -> None:
    age(services, ApiToken, 16)
    for _ in range(10):
        contract.sign("designer", status=422, password="guess")
    assert contract.sign("designer", status=429, password=PASSWORD)["code"] == "rate_limited"


def test_a_page_asks_for_the_password_once_and_keeps_what_was_typed(contract: Contract, services: Services) -> None:
    browser = contract.pair.designer.browser
    assert 'name="password"' not in browser.get(contract.path).get_data(as_text=True)
    age(services, LoginSession, 16)
    assert 'name="password"' in browser.get(contract.path).get_data(as_text=True)
    sha256 = contract.ask("designer")["document_sha256"]
    form = {"typed_name": "Maya Rossi", "agree": "1", "consent": "1", "document_sha256": sha256}
    refused = browser.post(f"{contract.path}/sign", form)
    assert refused.status_code == 403
    assert 'value="Maya Rossi"' in refused.get_data(as_text=True)
    unwilling = browser.post(f"{contract.path}/sign", {**form, "consent": "", "password": PASSWORD})
    assert unwilling.status_code == 422
    assert browser.post(f"{contract.path}/sign", {**form, "password": PASSWORD}).status_code == 303
    with services.engine.connect() as connection:
        proved = connection.scalars(select(LoginSession.proved_at).order_by(LoginSession.proved_at.desc())).first()
    assert proved is not None
    assert clock.now() - proved < timedelta(minutes=1)
    assert timedelta(minutes=15) == step_up.FRESH


def test_a_drawn_signature_is_kept_as_checked_strokes_with_what_the_signer_was_told(
    contract: Contract, services: Services
) -> None:
    assert contract.sign("designer", status=422, typed_name="", drawn="M1 1L2 2")["code"] == "bad_drawing"
    contract.sign("designer", typed_name="", drawn=STROKES)
    with services.engine.connect() as connection:
        kept = connection.execute(select(Signature)).mappings().one()
    told = disclosure("en")
    assert (kept["method"], kept["drawn"], kept["typed_name"]) == ("drawn", STROKES, "Maya Rossi")
    assert (kept["disclosure_version"], kept["disclosure_sha256"]) == (told.version, told.sha256)
    seen = contract.pair.designer.api.get("/signing-disclosure").get_json()
    assert (seen["sha256"], seen["text"]) == (told.sha256, told.text)
    assert len({disclosure(language).sha256 for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    "path",
    [
        "M0 0" * 3,
        "M50 50L51 51L52 52L53 53L54 54L55 55L56 56L57 57",
        STROKES + 'Z"/><script>',
        STROKES.replace("80 60", "8e2 60"),
        STROKES.replace("80 60", "601 60"),
        STROKES.replace("80 60", "-1 60"),
        STROKES.replace("L", "C"),
        "M1 1" + "L2 2" * 6_000,
    ],
)
def test_what_is_no_drawing_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        checked(path)
    assert "script" not in svg(checked(STROKES))


def test_the_log_is_a_chain_that_shows_every_change_and_the_database_lets_nobody_make_one(
    contract: Contract, services: Services
) -> None:
    contract.active()
    with unit_of_work(services.engine, SYSTEM) as session:
        log = log_of(session, contract.id)
        session.expunge_all()
    assert [event.kind for event in log] == ["drawn_up", "signed", "signed", "fully_signed", "active"]
    assert unbroken(log)
    assert contract.ask("buyer", "/log")["unbroken"] is True
    assert not unbroken([*log[:2], *log[3:]])
    log[1].details = {**log[1].details, "sha256": "0" * 64}
    assert not unbroken(log)
    log[1].hash = entry_hash(log[1])
    assert not unbroken(log), "the entry after it still names the old hash"
    for table in ("license_events", "signatures", "agreement_texts"):
        with pytest.raises(DBAPIError), unit_of_work(services.engine, SYSTEM) as session:
            session.execute(text(f"delete from {table}"))


def test_of_eight_who_sign_for_one_side_at_once_one_does(contract: Contract, services: Services) -> None:
    actor, given = contract.pair.designer.actor, Given(proved_at=clock.now(), agree=True, typed_name="Maya Rossi")

    def try_it(_n: int) -> str:
        try:
            with unit_of_work(services.engine, actor) as session:
                operations.sign(session, actor, contract.id, given)
        except DomainError as refusal:
            return refusal.code
        return "signed"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(try_it, range(8)))
    assert answers == ["already_signed"] * 7 + ["signed"]
    assert contract.kinds().count("signed") == 1


def test_signing_while_it_lapses_ends_in_one_of_the_two(pair: Pair, services: Services, run_jobs: Jobs) -> None:
    contract = Contract(pair, services, run_jobs)
    run_jobs()
    contract.sign("designer")
    contract.move(created_at=clock.now() - timedelta(days=31))
    actor, given = pair.buyer.actor, Given(proved_at=clock.now(), agree=True, typed_name="陈丽")

    def sign() -> str:
        try:
            with unit_of_work(services.engine, actor) as session:
                operations.sign(session, actor, contract.id, given)
        except DomainError as refusal:
            return refusal.code
        return "signed"

    with ThreadPoolExecutor(2) as pool:
        signed, lapsed = pool.submit(sign), pool.submit(contract.tick, life.expire_due)
        outcome = (signed.result(), lapsed.result(), contract.state())
    assert outcome in [("signed", [0], "active"), ("illegal_transition", [1], "ended")]
    with services.engine.connect() as connection:
        ended_why = connection.scalar(select(License.ended_why).where(License.id == contract.id))
    assert (ended_why is None) == (outcome[0] == "signed")
