"""Pages of what waits for a colleague, of the limits behind it, and of the organization's own past deals."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.kernel.money import CURRENCIES, Money
from marketplace.licensing.playbook import approvals, deciding, operations, queries
from marketplace.licensing.playbook.access import load_approval
from marketplace.licensing.playbook.forms import ApproversForm, ReasonForm, limits
from marketplace.licensing.playbook.guidance import guidance
from marketplace.licensing.playbook.models import Approval
from marketplace.licensing.term_words import rows
from marketplace.licensing.vocabulary import CATEGORIES, KINDS, WORLD
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import FormState, read_form
from marketplace.web.i18n import Formats
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("approvals", url_prefix="/approvals")
deals = Section("deals", url_prefix="/deals")


@section.get("", needs=Permission.APPROVAL_READ)
def index(call: Call, form: FormState | None = None, refused: str = "") -> ResponseReturnValue:
    """What waits for a colleague, and what was decided."""
    found = queries.held(call.session, call.actor)
    policy = approvals.policy_of(call.session, call.actor)
    who = approvals.approvers(call.session, call.org_id, policy)
    return render_template(
        "playbook/approvals.html",
        waiting=[item for item in found if item.state == "pending"],
        past=[item for item in found if item.state != "pending"],
        limited=bool(policy.limits),
        decides=call.user_id in who,
        me=call.user_id,
        rows=rows,
        form=form,
        refused=refused,
    )


def again(call: Call, approval: Approval, form: FormState) -> ResponseReturnValue:
    """The list with why this one could not be decided."""
    return index(call, form, approval.id)


@section.post("/<approval_id>/approve", needs=Permission.APPROVAL_DECIDE, subject=load_approval, on_invalid=again)
def approve(call: Call, approval: Approval) -> ResponseReturnValue:
    """Approve; what was held back happens at once."""
    subject = deciding.approve(call.session, call.actor, approval)
    return see_other("negotiations.show", toast=_("Approved. It took effect."), negotiation_id=subject)


@section.post("/<approval_id>/refuse", needs=Permission.APPROVAL_DECIDE, subject=load_approval, on_invalid=again)
def refuse(call: Call, approval: Approval) -> ResponseReturnValue:
    """Refuse, with the reason."""
    deciding.refuse(call.session, call.actor, approval, read_form(ReasonForm).reason)
    return see_other("approvals.index", toast=_("Refused. Your colleague was told why."))


@section.post("/<approval_id>/withdraw", needs=Permission.APPROVAL_DECIDE, subject=load_approval, on_invalid=again)
def withdraw(call: Call, approval: Approval) -> ResponseReturnValue:
    """Take one's own question back."""
    deciding.withdraw(call.session, call.actor, approval)
    return see_other("approvals.index", toast=_("Taken back."))


@section.get("/limits", needs=Permission.LIMITS_EDIT)
def limits_page(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Above which amounts a colleague approves, and who may."""
    policy = approvals.policy_of(call.session, call.actor)
    fmt = Formats()
    values = {f"limit-{code}": fmt.plain_amount(Money(int(amount), code)) for code, amount in policy.limits.items()}
    return render_template(
        "playbook/limits.html",
        form=form or FormState(values={**values, "approvers": policy.approvers}),
        currencies=CURRENCIES,
        members=queries.members(call.session, call.org_id),
    )


@section.post("/limits", needs=Permission.LIMITS_EDIT, on_invalid=limits_page)
def set_limits(call: Call) -> ResponseReturnValue:
    """Set them; everybody in the organization is told."""
    named = read_form(ApproversForm).approvers
    operations.set_limits(call.session, call.actor, limits(), named)
    return see_other("approvals.limits_page", toast=_("Saved. Your colleagues were told."))


@deals.get("/usual", needs=Permission.DEALS_READ)
def usual(call: Call) -> ResponseReturnValue:
    """Medians of the organization's own past deals like the one in the form (`?kind=&fee_currency=...`)."""
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else "non_exclusive"
    currency = request.args.get("fee_currency", "")
    currency = currency if currency in CURRENCIES else "USD"
    category = next((c for c in request.args.getlist("categories") if c in CATEGORIES), "")
    where = [WORLD] if request.args.get("where") == "world" else request.args.getlist("territories")[:250]
    found = guidance(
        call.session,
        call.actor,
        kind=kind,
        currency=currency,
        category=category or request.args.get("category", "")[:20],
        territories=[*where, *request.args.getlist("regions")[:20]],
    )
    name = "playbook/_usual.html" if is_htmx() else "playbook/usual.html"
    return render_template(name, found=found, kind=str(KINDS[kind]), currency=currency)
