"""Pages of the bank-file rail: a payee's bank account, and the operator's files."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts import step_up
from marketplace.accounts.models import Organization
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money
from marketplace.payments.rails import answers, operations, queries
from marketplace.payments.rails.access import load_answer, load_file
from marketplace.payments.rails.account_numbers import has_iban
from marketplace.payments.rails.forms import BankForm, MarkForm, PasswordForm, StartForm
from marketplace.payments.rails.models import BankAnswer, BankFile
from marketplace.payments.rails.reports import MOST_BYTES
from marketplace.payments.rails.routing import current_bank, offered, way
from marketplace.payments.rails.words import FILE_STATES, ITEM_STATES, OUTCOMES, RESULTS, RETURN_REASONS
from marketplace.payments.titles import title
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.limits import limit
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("payee_bank", url_prefix="/payouts/bank")
desk = Section("bank_files", url_prefix="/desk/bank-files")


@section.get("", needs=Permission.PAYOUT_BANK)
def edit(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """Where the organization is paid, which way and why, and the form for another bank account."""
    org = call.session.get_one(Organization, call.org_id)
    return render_template(
        "payouts/bank.html",
        form=form or FormState(),
        org=org,
        bank=current_bank(call.session, call.org_id),
        way=way(call.session, call.org_id),
        offered=offered(call.settings.platform_country, org.country),
        iban=has_iban(org.country),
        fresh=step_up.fresh(call.actor),
        now=clock.now(),
    )


@section.post("", needs=Permission.PAYOUT_BANK, on_invalid=edit)
def save(call: Call) -> ResponseReturnValue:
    """Be paid to this bank account."""
    limit("payee-bank", call.org_id, "10 per hour")
    given = read_form(BankForm)
    step_up.confirm(call.session, call.actor, given.password)
    bank = operations.save_bank(
        call.session,
        call.actor,
        call.org_id,
        call.settings,
        holder=given.holder,
        number=given.number,
        bic=given.bic,
    )
    said = (
        _("Saved. Money that becomes due goes there.")
        if bank.usable(clock.now())
        else _("Saved. Money goes there from the date below on.")
    )
    return see_other("payee_bank.edit", toast=said)


@desk.get("", needs=Permission.BANK_FILE)
def index(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """What waits for a file, and the files that were made."""
    return render_template(
        "payouts/files.html",
        form=form or FormState(),
        waiting=queries.sums_waiting(call.session),
        page=queries.files(call.session, request.args.get("cursor")),
        states=FILE_STATES,
        debtor=operations.debtor(call.settings),
        answers=queries.answers(call.session),
    )


@desk.post("", needs=Permission.BANK_FILE, on_invalid=index)
def start(call: Call) -> ResponseReturnValue:
    """Make a file of what waits in a currency."""
    file = operations.start_file(call.session, call.actor, read_form(StartForm).currency)
    return see_other("bank_files.show", file_id=file.id)


@desk.post("/answers", needs=Permission.BANK_FILE, on_invalid=index)
def answer(call: Call) -> ResponseReturnValue:
    """Take over a report of the bank: what it says of each payment is recorded as if an operator had."""
    limit("bank-answer", call.org_id, "60 per hour")
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("bad_file", "Choose a file.", fields={"file": "Choose a file."})
    data = sent.read(MOST_BYTES + 1)
    sent.close()
    try:
        row, new = answers.take(call.session, call.actor, data)
    except Invalid as error:
        raise Invalid(error.code, error.message, fields={"file": error.message}) from error
    said = _("The report is taken over.") if new else _("This report was taken over before; nothing was changed.")
    return see_other("bank_files.report", toast=said, answer_id=row.id)


@desk.get("/answers/<answer_id>", needs=Permission.BANK_FILE, subject=load_answer)
def report(call: Call, row: BankAnswer) -> ResponseReturnValue:
    """What became of each line of a report of the bank."""
    return render_template(
        "payouts/answer.html",
        row=row,
        names=queries.payees(call.session, row),
        results=RESULTS,
        outcomes=OUTCOMES,
        reasons=RETURN_REASONS,
        as_money=Money,
    )


@desk.get("/<file_id>", needs=Permission.BANK_FILE, subject=load_file)
def show(call: Call, file: BankFile, form: FormState | None = None) -> ResponseReturnValue:
    """One file with its payments and what is to be done with it."""
    return render_template(
        "payouts/file.html",
        form=form or FormState(),
        file=file,
        items=queries.items(call.session, file.id),
        title=title,
        states=FILE_STATES,
        item_states=ITEM_STATES,
        reasons=RETURN_REASONS,
        needs_approval=operations.needs_approval(file),
        mine=file.made_by == call.actor.user_id,
        fresh=step_up.fresh(call.actor),
    )


@desk.post("/<file_id>/approve", needs=Permission.BANK_FILE, subject=load_file, on_invalid=show)
def approve(call: Call, file: BankFile) -> ResponseReturnValue:
    """Approve a file that somebody else has made."""
    step_up.confirm(call.session, call.actor, read_form(PasswordForm).password)
    operations.approve(call.session, call.actor, file.id)
    return see_other("bank_files.show", toast=_("Approved."), file_id=file.id)


@desk.post("/<file_id>/take", needs=Permission.BANK_FILE, subject=load_file, on_invalid=show)
def take(call: Call, file: BankFile) -> ResponseReturnValue:
    """The file itself, once."""
    step_up.confirm(call.session, call.actor, read_form(PasswordForm).password)
    data = operations.take(call.session, call.actor, file.id, call.settings)
    name = f"payments-{file.currency.lower()}-{file.execute_on.isoformat()}.xml"
    return Response(data, mimetype="application/xml", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@desk.post("/<file_id>/cancel", needs=Permission.BANK_FILE, subject=load_file, on_invalid=show)
def cancel(call: Call, file: BankFile) -> ResponseReturnValue:
    """Give up a file; its payments wait for the next."""
    operations.cancel(call.session, call.actor, file.id)
    return see_other("bank_files.show", toast=_("Given up. Its payments wait for the next file."), file_id=file.id)


@desk.post("/<file_id>/mark", needs=Permission.BANK_FILE, subject=load_file, on_invalid=show)
def mark(call: Call, file: BankFile) -> ResponseReturnValue:
    """Record what the bank says of payments."""
    given = read_form(MarkForm)
    changed = operations.mark(call.session, call.actor, file.id, given.items, given.outcome, given.code())
    said = _("Recorded for %(count)s payments.", count=changed) if changed else _("Choose payments that can change.")
    return see_other("bank_files.show", toast=said, file_id=file.id)
