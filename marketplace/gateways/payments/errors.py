"""The vendor's errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from marketplace.gateways.payment_types import (
    InsufficientFunds,
    PayeeBlocked,
    PaymentDeclined,
    PaymentNotFound,
    PaymentRejected,
    PaymentUnavailable,
)

_PASSING_CODES = {"lock_timeout", "idempotency_key_in_use", "rate_limit"}
#: The payee's account cannot take money, whatever we ask; the second is what a revoked connection answers.
_BLOCKED = {
    "account_closed": "account_closed",
    "account_invalid": "account_lost",
    "insufficient_capabilities_for_transfer": "insufficient_capabilities_for_transfer",
    "transfers_not_allowed": "insufficient_capabilities_for_transfer",
}


@contextmanager
def vendor_errors(exceeds: str = "") -> Iterator[None]:
    """Turn the vendor's errors into ours. `exceeds` is the code for an amount beyond what is left: the vendor has
    none for that, only the name of the parameter.
    """
    try:
        yield
    except stripe.CardError as error:
        raise PaymentDeclined(
            error.code or "card_declined", "The payment was declined. Try another card.", detail=str(error)
        ) from error
    except stripe.StripeError as error:
        raise _mapped(error, exceeds) from error


def _mapped(error: stripe.StripeError, exceeds: str) -> PaymentRejected | PaymentUnavailable:
    # The library leaves the code of a 403 only in the body.
    code = error.code or str(getattr(error.error, "code", None) or "")
    status, detail = error.http_status or 0, f"{type(error).__name__}: {error}"
    if code in {"balance_insufficient", "insufficient_funds"}:
        return InsufficientFunds("insufficient_funds", "The money has not settled yet.", detail=detail)
    if isinstance(error, stripe.RateLimitError | stripe.APIConnectionError) or status >= 500 or code in _PASSING_CODES:
        return PaymentUnavailable(
            "payment_unavailable",
            "The payment service does not answer right now. Please try again.",
            detail=detail,
        )
    if code in _BLOCKED:
        return PayeeBlocked(_BLOCKED[code], "The payee's account cannot take money right now.", detail=detail)
    if status == 404 or code == "resource_missing":
        return PaymentNotFound("payment_not_found", "The payment service does not know this payment.", detail=detail)
    if isinstance(error, stripe.IdempotencyError):
        return PaymentRejected("idempotency_conflict", "This payment was already asked for differently.", detail=detail)
    if type(error) is stripe.APIError:  # an answer that could not be read: we do not know what happened
        return PaymentUnavailable(
            "payment_unclear", "The payment service answered unclearly. Please try again.", detail=detail
        )
    return _refused(code or (exceeds if getattr(error, "param", None) == "amount" else ""), detail)


def _refused(code: str, detail: str) -> PaymentRejected:
    """A refusal with words for the cases that a person can do something about."""
    if code == "charge_disputed":
        said = "The buyer's bank holds this payment in a dispute. It cannot be refunded."
    elif code == "charge_already_refunded":
        said = "This payment was already given back in full."
    elif code == "refund_exceeds":
        said = "That is more than is left of the payment."
    elif code == "reversal_exceeds":
        said = "That is more than is left of the transfer."
    else:
        said = "The payment service refused this request. We were told why."
    return PaymentRejected(code or "payment_rejected", said, detail=detail)
