"""A local stand-in for Stripe: the wire protocol, a payment page, an onboarding page, signed webhooks.

It moves no money. What it keeps to, so that code which works here works there: parameters are those of the
installed `stripe` library, idempotency keys replay, balances are finite, events arrive at least once and in
no promised order.
"""
