"""Asking the payment service for a page: vendor calls between two transactions, with our own key."""

from flask_babel import force_locale

from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.gateways.payment_types import CheckoutSession
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from marketplace.payments import titles
from marketplace.payments.models import Checkout, PaymentAccount
from marketplace.payments.payees import link_account
from marketplace.payments.unpaid import mark_expired, mark_refused
from marketplace.services import Services

_LOCALES = {"en": "en", "zh_Hans": "zh", "zh_Hant": "zh-TW"}


def url_for_checkout(services: Services, actor: Actor, checkout_id: str) -> str:
    """The address of the payment page. Call it outside of any transaction; asking again gives the same page.

    Raises Conflict when it was paid meanwhile, `payment_processing` while the buyer's bank carries it out,
    `checkout_expired` when the page is too old and `payment_refused` when the bank has refused (asking again opens
    a new one), Unavailable when the payment service does not answer.
    """
    with unit_of_work(services.engine, actor) as session:
        row = session.get_one(Checkout, checkout_id)
    if row.state == "paid":
        raise Conflict("already_paid", "This has already been paid.")
    page = services.payments.session(row.stripe_session_id) if row.stripe_session_id else _new_page(services, row)
    if page.status == "expired":
        with unit_of_work(services.engine, actor) as session:
            mark_expired(session, checkout_id)
        raise Conflict("checkout_expired", "The payment page was too old. Please try once more.")
    if page.processing:
        if not services.payments.payment(page.payment_intent or "").failed:
            raise Conflict("payment_processing", "The bank is still carrying out your payment. You need not pay again.")
        with unit_of_work(services.engine, actor) as session:
            mark_refused(session, actor, checkout_id)
        raise Conflict("payment_refused", "The bank did not carry out your payment. Please try once more.")
    if page.payment_status == "paid" or page.url is None:
        raise Conflict("already_paid", "This has already been paid.")
    with unit_of_work(services.engine, actor) as session:
        known = lock(session, Checkout, checkout_id)
        known.stripe_session_id, known.url = page.id, page.url
    return page.url


def _new_page(services: Services, row: Checkout) -> CheckoutSession:
    """Everything said here is the checkout's own: asked at once or again, by whomever, the key names one page."""
    base = services.settings.base_url
    with force_locale(row.locale):
        title = titles.title(row)
    return services.payments.checkout_session(
        amount=row.amount,
        currency=row.currency,
        description=title,
        client_reference_id=row.id,
        metadata={"checkout": row.id, "purpose": row.purpose, "subject": row.subject_id},
        success_url=base + row.success_path,
        cancel_url=base + row.cancel_path,
        customer_email=row.customer_email,
        transfer_group=row.subject_id,
        idempotency_key=row.id,
        locale=_LOCALES.get(row.locale, "auto"),
    )


def url_for_onboarding(services: Services, actor: Actor, org_id: str, country: str) -> str:
    """The address where a payee tells the payment service who they are; makes the account the first time."""
    with unit_of_work(services.engine, actor) as session:
        row = session.get_one(PaymentAccount, org_id)
    account_id = row.stripe_account_id
    if account_id is None:
        # An account in place of a lost one is another effect, so it has another key.
        again = f"-{int(row.hold_until.timestamp())}" if row.hold_until else ""
        account_id = services.payments.create_connected_account(
            actor.email, country, actor.org_name, idempotency_key=f"account-{org_id}{again}"
        )
        with unit_of_work(services.engine, actor) as session:
            link_account(session, org_id, account_id)
    base = services.settings.base_url
    return services.payments.account_link(
        account_id, return_url=f"{base}/payouts?back=1", refresh_url=f"{base}/payouts?again=1"
    )
