"""Every code of the payment service's lists has words of its own, and an unknown one never breaks a page."""

import inspect
import re
from typing import Any

import pytest
from flask import Flask
from stripe.v2.core import Account

from marketplace.payments import vendor_words as words
from marketplace.payments.words import paid_with


def _literals(source: str, name: str) -> set[str]:
    found: set[str] = set()
    for block in re.findall(
        rf"class {name}\(StripeObject\):\s+code: (?:Union\[\s*)?Literal\[(.*?)\]", source, re.DOTALL
    ):
        found |= set(re.findall(r'"([a-z0-9_]+)"', block))
    return found


STRIPE_BALANCE: Any = Account.Configuration.Recipient.Capabilities.StripeBalance
REASONS = _literals(inspect.getsource(STRIPE_BALANCE), "StatusDetail")
ERRORS = _literals(inspect.getsource(Account.Requirements), "Error")


@pytest.fixture(autouse=True)
def _language(app: Flask) -> Any:
    with app.test_request_context("/"):
        yield


def test_the_lists_of_the_library_were_read() -> None:
    assert len(REASONS) >= 15
    assert len(ERRORS) >= 90


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_disabled_reason_is_said_in_words(code: str) -> None:
    assert code not in words.disabled_reason(code)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_an_error_is_said_in_words(code: str) -> None:
    assert words.requirement_error(code)
    assert code not in words.requirement_error(code)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("identity.business_details.registered_name", "Legal name of the business"),
        ("identity.individual.documents.primary_verification", "Identity document"),
        ("configuration.recipient.default_outbound_destination", "Bank account that your money goes to"),
        ("identity.attestations.terms_of_service.account", "Agreement to the terms of the payment service"),
        ("person_1Abc.dob.day", "Date of birth"),
        ("company.tax_id", "Tax number"),
        ("interv_1.something_new", "The payment service calls it “interv_1.something_new”."),
    ],
)
def test_a_requirement_is_named_by_the_end_of_its_path(code: str, said: str) -> None:
    assert words.requirement(code) == said


def test_what_is_unknown_or_missing_is_shown_as_it_is() -> None:
    for say in (words.disabled_reason, words.payout_failure, words.dispute_reason, words.requirement_error):
        assert say(None) == ""
        assert "brand_new" in say("brand_new")
    assert words.payment_method("pay_later_bank") == "pay later bank"
    assert words.payment_method(None) == ""
    assert words.payment_method("card") == "Card"


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("card visa 4242", "Card · Visa ···· 4242"),
        ("us_bank_account SANDBOX BANK 6789", "US bank account · Sandbox Bank ···· 6789"),
        ("customer_balance", "Bank transfer"),
        ("klarna", "klarna"),
    ],
)
def test_how_it_was_paid_is_said_in_words(kept: str, said: str) -> None:
    assert paid_with(kept) == said
