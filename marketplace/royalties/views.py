"""Pages of royalties: the overview, a license's statements, one statement and what is asked about it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import Money, parse_amount
from marketplace.licensing.access import load_license
from marketplace.licensing.models import License
from marketplace.licensing.vocabulary import CHANNELS
from marketplace.payments import fees
from marketplace.payments.checkout import url_for_checkout
from marketplace.policy.permissions import Permission as P
from marketplace.royalties import inquiries, queries, returns
from marketplace.royalties.access import load_inquiry, load_statement
from marketplace.royalties.api import csv_response, start_checkout
from marketplace.royalties.forms import AskForm, Filter, ReplyForm
from marketplace.royalties.inquiries import Evidence
from marketplace.royalties.models import Inquiry, Statement
from marketplace.royalties.rules import INQUIRY, OPEN, STANDING, scheme
from marketplace.royalties.words import ACTIONS, FLAGS, KINDS, STATES, day, figures, line_word, rate_words, span
from marketplace.web.call import AfterCommit, Call
from marketplace.web.forms import FormState, read_form, read_query
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("royalties", url_prefix="/royalties")

#: Seconds that the address of a document works.
DOCUMENT_LIFE_S = 60
#: Largest file that is handed in for an audit.
MAX_EVIDENCE = 10_000_000
_WORDS = {"states": STATES, "kinds": KINDS, "flags": FLAGS, "actions": ACTIONS, "channels": CHANNELS}


@dataclass(frozen=True, slots=True)
class Net:
    """What arrives at the designer: the rate of our fee in basis points, the fee, and the rest."""

    bps: int
    fee: Money
    net: Money


@section.get("", needs=P.ROYALTY_LIST)
def index(call: Call) -> ResponseReturnValue:
    """What was earned, is due and was paid, by license; what waits for the buyer; all statements."""
    wanted = read_query(Filter)
    found = queries.statements(call.session, call.actor, show=wanted.show, cursor=wanted.cursor)
    accounts = queries.accounts(call.session, call.actor)
    return render_template(
        "royalties/index.html",
        accounts=accounts,
        sums=queries.sums(accounts),
        waiting=queries.to_do(call.session, call.actor),
        page=found,
        show=wanted.show,
        span=span,
        day=day,
        **_WORDS,
    )


@section.get("/licenses/<license_id>", needs=P.STATEMENT_READ, subject=load_license)
def of_license(call: Call, held: License) -> ResponseReturnValue:
    """The statements of one license."""
    found = queries.statements(call.session, call.actor, license_id=held.id, cursor=read_query(Filter).cursor)
    accounts = queries.accounts(call.session, call.actor, license_id=held.id)
    return render_template(
        "royalties/license.html",
        held=held,
        account=accounts[0] if accounts else None,
        terms=scheme(held.terms),
        rate=rate_words(scheme(held.terms), held.currency),
        amount_of=Money,
        page=found,
        span=span,
        day=day,
        **_WORDS,
    )


@section.get("/<statement_id>", needs=P.STATEMENT_READ, subject=load_statement)
def show(call: Call, row: Statement, form: FormState | None = None) -> ResponseReturnValue:
    """How much, why, and when."""
    held = call.session.get_one(License, row.license_id)
    lines = queries.lines_of(call.session, row.id)
    side = "designer" if row.designer_org_id == call.org_id else "buyer"
    amendable = side == "buyer" and any(line.kind == "sale" and line.reference == "sale" for line in lines)
    return render_template(
        "royalties/show.html",
        row=row,
        held=held,
        side=side,
        lines=lines,
        figures=figures(row, lines) if row.issued_at else [],
        rate=rate_words(scheme(held.terms), held.currency),
        span=span(row),
        net=_net(call, row) if side == "designer" else None,
        asked=queries.inquiries_of(call.session, row.id) if row.issued_at else [],
        next_audit=inquiries.next_audit(call.session, held.id) if side == "designer" else None,
        figures_now=queries.amendable(call.session, row.id) if amendable else {},
        may_pay=side == "buyer" and row.state in OPEN and row.amount_due > 0 and "paid" not in request.args,
        may_ask=side == "designer" and row.state in STANDING,
        returned="paid" in request.args and row.state in OPEN,
        turn=_turn(row, side),
        form=form,
        line_word=line_word,
        back=Money(returns.of(call.session, [row.id]).get(row.id, 0), row.currency) if row.paid_at else None,
        day=day,
        can_do=lambda inquiry, action: INQUIRY.can(inquiry.state, action, {side}),
        **_WORDS,
    )


@section.get("/<statement_id>/document", needs=P.STATEMENT_READ, subject=load_statement)
def document(call: Call, row: Statement) -> ResponseReturnValue:
    """The PDF by an address that works for a minute."""
    if row.document_key is None:
        raise Conflict("not_made", "The document is still being made. Try again in a moment.")
    name = f"statement-{row.number}.pdf"
    return leave_for(call.services.storage.presign_get(row.document_key, DOCUMENT_LIFE_S, name, "application/pdf"))


@section.get("/<statement_id>/lines.csv", needs=P.STATEMENT_READ, subject=load_statement)
def lines_csv(call: Call, row: Statement) -> ResponseReturnValue:
    """The lines as a file for a spreadsheet."""
    return csv_response(call, row)


@section.post("/<statement_id>/checkout", needs=P.STATEMENT_PAY, subject=load_statement)
def checkout(call: Call, row: Statement) -> AfterCommit:
    """Go to the payment page."""
    checkout_id = start_checkout(call, row)
    return AfterCommit(lambda: leave_for(url_for_checkout(call.services, call.actor, checkout_id)))


@section.post("/<statement_id>/ask", needs=P.STATEMENT_ASK, subject=load_statement, on_invalid=show)
def ask(call: Call, row: Statement) -> ResponseReturnValue:
    """The designer's question, or the request of an audit."""
    given = read_form(AskForm)
    act = inquiries.ask_for_audit if given.kind == "audit" else inquiries.ask
    act(call.session, call.actor, row.id, given.text)
    return see_other("royalties.show", toast=_("Asked. The buyer has been told."), statement_id=row.id)


@section.post("/inquiries/<inquiry_id>", needs=P.INQUIRY_REPLY, subject=load_inquiry, max_bytes=MAX_EVIDENCE + 100_000)
def reply(call: Call, row: Inquiry) -> ResponseReturnValue | AfterCommit:
    """The next word in a question or audit; the buyer's answer may bring a file."""
    given = read_form(ReplyForm)
    actor, key = call.actor, row.statement_id
    file = request.files.get("file")
    if given.do == "answer" and file is not None and file.filename:
        return _answer_with_file(call, row, given.text, file)
    if given.do == "claim":
        inquiries.claim(call.session, actor, row.id, parse_amount(given.amount, row.currency), given.text)
    else:
        acts: dict[str, Any] = {
            "answer": inquiries.answer,
            "close": inquiries.close,
            "agree": inquiries.agree,
            "refuse": inquiries.refuse,
        }
        acts[given.do](call.session, actor, row.id, given.text)
    return see_other("royalties.show", toast=_("Saved."), statement_id=key)


@section.get("/inquiries/<inquiry_id>/files/<note_id>", needs=P.STATEMENT_READ, subject=load_inquiry)
def evidence(call: Call, row: Inquiry) -> ResponseReturnValue:
    """A file that was handed in, as a download."""
    note = queries.note(call.session, row.id, str((request.view_args or {})["note_id"]))
    if note is None or note.storage_key is None:
        raise NotFound
    name = note.filename or "books"
    url = call.services.storage.presign_get(note.storage_key, DOCUMENT_LIFE_S, name, "application/octet-stream")
    return leave_for(url)


def _answer_with_file(call: Call, row: Inquiry, text: str, file: Any) -> AfterCommit:
    """Put the file into the store outside of any transaction, then answer with it."""
    INQUIRY.target(row.state, "answer", {"buyer"} if row.buyer_org_id == call.org_id else set())
    data = file.read(MAX_EVIDENCE + 1)
    file.close()
    if not 0 < len(data) <= MAX_EVIDENCE:
        raise Invalid("bad_file", "Choose a file of at most 10 MB.", fields={"file": "Choose a file of at most 10 MB."})
    digest = hashlib.sha256(data).hexdigest()
    found = Evidence(file.filename, call.services.storage.new_key("books"), digest, len(data))
    key, statement_id = row.id, row.statement_id

    def run() -> ResponseReturnValue:
        call.services.storage.put(found.storage_key, data, "application/octet-stream", digest)
        with unit_of_work(call.services.engine, call.actor) as session:
            inquiries.answer(session, call.actor, key, text, found)
        return see_other("royalties.show", toast=_("Saved."), statement_id=statement_id)

    return AfterCommit(run)


def _net(call: Call, row: Statement) -> Net | None:
    if not row.amount_due or row.issued_at is None:
        return None
    bps = fees.rate(call.session, "royalty", row.issued_at).bps
    fee = row.due_money.share(bps)
    return Net(bps, fee, row.due_money - fee)


def _turn(row: Statement, side: str) -> tuple[str, bool]:
    """Who may act, in a sentence, and whether it is the reader."""
    buyer = side == "buyer"
    if row.state == "draft":
        if row.report_due is None:
            return _("The statement is being made. This takes a few seconds."), False
        until = day(row.report_due)
        if buyer:
            return _("It is your turn: report what was sold by %(day)s.", day=until), True
        return _("Waiting for the buyer's report of sales, due on %(day)s.", day=until), False
    if row.state in OPEN and row.amount_due and row.due_on is not None:
        until = day(row.due_on)
        if buyer:
            return _("It is your turn: pay by %(day)s.", day=until), True
        return _("Waiting for the buyer's payment, due on %(day)s.", day=until), False
    if row.state == "paid" and row.paid_at is not None:
        return _("Paid on %(day)s.", day=day(row.paid_at.date())), False
    return _("Nothing is to be paid for this statement."), False
