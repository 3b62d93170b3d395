"""Reference rates: fetched once a day, fixed in an offer, converted exactly, and never charged."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.exchange.models import ExchangeRate
from marketplace.exchange.queries import fix
from marketplace.exchange.rules import Fixed, cross, currency_of
from marketplace.gateways import rates
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.money import Money
from marketplace.licensing.models import Offer
from marketplace.services import Services
from sandbox.rates.app import RATES
from tests.features.licensing.conftest import Pair

SYSTEM = system("test")


def fetch(services: Services, run_jobs: Any, key: str = "once") -> None:
    with unit_of_work(services.engine, SYSTEM) as session:
        stage(session, JobName.FETCH_RATES, key, {})
    run_jobs()


def test_rates_are_taken_over_once_a_day_with_source_and_day(
    services: Services, run_jobs: Any, session: Session
) -> None:
    fetch(services, run_jobs, "first")
    fetch(services, run_jobs, "second")
    found = {row.currency: row for row in session.scalars(select(ExchangeRate))}
    assert {code: f"{row.rate:f}".rstrip("0") for code, row in found.items()} == {
        code: rate.rstrip("0") for code, rate in RATES.items()
    }
    assert {(row.source, row.as_of) for row in found.values()} == {("sandbox", clock.now().date())}


def test_pay21_rate_is_fixed_in_the_offer_and_what_moves_later_changes_nothing(
    services: Services, run_jobs: Any, session: Session, pair: Pair
) -> None:
    fetch(services, run_jobs)
    opened = pair.open(fee={"amount": 110_000, "currency": "USD"})
    with unit_of_work(services.engine, SYSTEM) as work:
        for row in work.scalars(select(ExchangeRate)):
            row.rate *= 2
    offer = session.scalars(select(Offer).where(Offer.negotiation_id == opened["id"])).one()
    kept = offer.exchange[0]
    assert [entry["side"] for entry in offer.exchange] == ["buyer", "designer"]
    page = pair.designer.browser.get(f"/negotiations/{opened['id']}").get_data(as_text=True)
    assert page.count("£870.00") == 1
    assert (kept["base"], kept["quote"], kept["rate"], kept["source"]) == ("USD", "GBP", "0.790909", "sandbox")
    assert Fixed.from_json(kept).convert(Money(110_000, "USD")) == Money(87_000, "GBP")


def test_without_rates_an_offer_is_made_all_the_same(session: Session, pair: Pair) -> None:
    opened = pair.open()
    assert session.scalars(select(Offer).where(Offer.negotiation_id == opened["id"])).one().exchange == []


def test_old_rates_are_not_used(services: Services) -> None:
    with unit_of_work(services.engine, SYSTEM) as work:
        past = clock.now().date() - timedelta(days=8)
        work.add(ExchangeRate(as_of=past, currency="USD", rate=Decimal(2), source="sandbox"))
        work.flush()
        assert fix(work, "EUR", ["USD"]) == []


def test_service_that_fails_is_asked_again(services: Services, run_jobs: Any, session: Session) -> None:
    base = services.settings.rates_url.partition("/stats")[0]
    requests.post(f"{base}/_sandbox/fail", json={"next": 1, "status": 503}, timeout=60)
    with pytest.raises(rates.RatesUnavailable):
        rates.fetch(services.settings.rates_url)
    assert rates.fetch(services.settings.rates_url).per_euro["USD"] == Decimal("1.1000")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html></html>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><Envelope/>',
        b"<Envelope>" + b" " * 300_000 + b"</Envelope>",
        b'<E xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube time="2026-11-20"></Cube></E>',
        b'<E xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube time="2026-11-20">'
        b'<Cube currency="USD" rate="NaN"/></Cube></E>',
        b'<E xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube time="2026-11-20">'
        b'<Cube currency="USD" rate="-1"/></Cube></E>',
        b'<E xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube time="soon">'
        b'<Cube currency="USD" rate="1"/></Cube></E>',
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(rates.RatesUnavailable):
        rates.read(content)


def test_conversion_knows_currencies_without_and_with_three_decimals() -> None:
    day = date(2026, 11, 20)
    assert Fixed("USD", "JPY", Decimal(150), "ECB", day).convert(Money(1_01, "USD")) == Money(152, "JPY")
    assert Fixed("JPY", "USD", Decimal("0.006667"), "ECB", day).convert(Money(1000, "JPY")) == Money(667, "USD")
    with pytest.raises(ValueError, match="converts JPY"):
        Fixed("JPY", "USD", Decimal(1), "ECB", day).convert(Money(1, "EUR"))
    assert cross({"USD": Decimal("1.1")}, "USD", "EUR") == Decimal("0.909091")
    assert cross({"USD": Decimal("1.1")}, "USD", "HKD") is None
    assert [currency_of(code) for code in ("GB", "HK", "DE", "BR", "XX")] == ["GBP", "HKD", "EUR", None, None]
