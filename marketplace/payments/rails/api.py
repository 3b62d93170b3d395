"""A payee's bank account over the API: what is shown of it, and another one."""

from pydantic import Field

from marketplace.accounts import step_up
from marketplace.accounts.models import Organization
from marketplace.payments.rails import operations
from marketplace.payments.rails.account_numbers import has_iban
from marketplace.payments.rails.routing import current_bank, offered
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.limits import limit
from marketplace.web.section import Api

api = Api("payee_bank")


class BankOut(Body):
    """The bank account; of its number the last four characters are all that is told.

    `rail` is how the payee is paid in its country: stripe, bank, or null; `number_is` iban or plain. The rest is null
    before an account was entered. Nothing is sent to it before `usable_at`.
    """

    rail: str | None
    country: str
    number_is: str
    holder: str | None
    bic: str | None
    last4: str | None
    usable_at: str | None


class BankIn(Body):
    """A bank account in the payee's own country. `password` proves the person, unless that was done lately."""

    holder: str = Field(max_length=70)
    number: str = Field(max_length=60)
    bic: str = Field(max_length=20)
    password: str = Field(default="", max_length=200)


@api.get("/payouts/bank", needs=Permission.PAYOUT_BANK, returns=BankOut, summary="The bank account, masked")
def bank(call: Call) -> BankOut:
    """Where the organization is paid by bank file."""
    org = call.session.get_one(Organization, call.org_id)
    held = current_bank(call.session, call.org_id)
    return BankOut(
        rail=offered(call.settings.platform_country, org.country),
        country=org.country,
        number_is="iban" if has_iban(org.country) else "plain",
        holder=held.holder if held else None,
        bic=held.bic if held else None,
        last4=held.last4 if held else None,
        usable_at=held.usable_at.isoformat() if held else None,
    )


@api.call(
    "PUT",
    "/payouts/bank",
    needs=Permission.PAYOUT_BANK,
    body=BankIn,
    returns=BankOut,
    summary="Be paid to this bank account",
)
def put_bank(call: Call, body: BankIn) -> BankOut:
    """A changed account is used after 72 hours, and every member is told."""
    limit("payee-bank", call.org_id, "10 per hour")
    step_up.confirm(call.session, call.actor, body.password)
    operations.save_bank(
        call.session, call.actor, call.org_id, call.settings, holder=body.holder, number=body.number, bic=body.bic
    )
    return bank(call)
