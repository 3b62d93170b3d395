"""What an order costs is one number: on its page, in the API, at the payment service, in documents (NEG-12).

Mails about an order name no amount; those about a brief do, see features/licensing/test_brief_shown.
"""

import json
import random
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.db.unit_of_work import unit_of_work
from marketplace.invoices.document import values
from marketplace.invoices.models import Invoice
from marketplace.kernel.actor import system
from marketplace.orders.models import Order
from marketplace.payments.models import Checkout, Transfer
from tests.features.orders.world import World

SYSTEM = system("test")
#: What world.quote asks for tooling.
TOOLING = 5_000
ROUNDED = [(1, 1, "7.5"), (3, 33_333, "0.01"), (7, 14_285, "33.33")]


def cases(count: int) -> list[tuple[int, int, str]]:
    """Pieces, price of one in cents, royalty in percent: the ones that round, and random ones."""
    chance = random.Random(12)
    some = [
        (chance.randint(1, 60), chance.randint(1, 400_000), f"{chance.randint(1, 4_000) / 100:.2f}")
        for _ in range(count)
    ]
    return ROUNDED + some


def asked(pieces: int, each: int, percent: str) -> tuple[int, int]:
    """Production and royalty by the words of the terms, counted without the product: half a cent goes up."""
    exact = Fraction(pieces * each) * Fraction(percent) / 100
    return pieces * each + TOOLING, (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def shown(amount: int) -> str:
    return f"${amount // 100:,}.{amount % 100:02d}"


@pytest.mark.parametrize(("pieces", "each", "percent"), cases(1))
def test_neg_12_page_api_charge_shares_and_documents_have_one_price(
    world: World,
    sandbox_control: Any,
    deliver_events: Any,
    run_jobs: Any,
    pieces: int,
    each: int,
    percent: str,
) -> None:
    production, royalty = asked(pieces, each, percent)
    total = production + royalty
    world.make.person("operator")
    mine = world.another_licensee(royalty_percent=percent)
    order = mine.place(pieces)
    mine.award(order, mine.quote(mine.ask(order)[0], unit_price=each))
    figures = mine.buyer.api.get(f"/orders/{order.id}").json
    assert figures["total"] == {"amount": total, "currency": "USD"}
    assert shown(total) in mine.buyer.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    url = mine.buyer.api.post(f"/orders/{order.id}/checkout").json["url"]
    page = world.services.payments.session(next(part for part in url.split("/") if part.startswith("cs_")))
    assert (page.amount_total, page.currency) == (total, "USD")
    sandbox_control("POST", f"/checkout/{page.id}/pay")
    for _ in range(2):
        deliver_events()
        run_jobs()
    with unit_of_work(world.services.engine, SYSTEM) as session:
        paid = session.get_one(Checkout, session.get_one(Order, order.id).checkout_id)
        assert world.services.payments.payment(paid.payment_intent or "").amount_received == paid.amount == total
        shares = session.scalars(select(Transfer).where(Transfer.checkout_id == paid.id)).all()
        assert sum(share.gross for share in shares) == total
        invoices = session.scalars(select(Invoice).where(Invoice.recipient_org_id == mine.buyer.org.id)).all()
        assert sorted(row.gross for row in invoices) == sorted(part for part in (production, royalty) if part)
        with world.make.app.test_request_context("/"):
            documents = [json.dumps(values(row, "en", "Touchstone"), ensure_ascii=False) for row in invoices]
    for row, document in zip(invoices, documents, strict=True):
        assert shown(row.gross) in document
    received = mine.buyer.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert shown(total) in received
