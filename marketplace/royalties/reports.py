"""What the buyer reports: drafts, submission, corrections. Nothing here commits.

Locks are taken in one order everywhere in this feature: the license, then the statement, then the report.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.licensing.models import License
from marketplace.licensing.serials import serials
from marketplace.licensing.vocabulary import WORLD
from marketplace.notifications.operations import notify_org
from marketplace.royalties import pieces
from marketplace.royalties.models import SalesLine, SalesReport, Statement
from marketplace.royalties.rules import REPORT, STANDING
from marketplace.royalties.sales import MAX_ROWS, Sale, Scope, Typed, blank, flags, read


def save_draft(session: Session, actor: Actor, statement_id: str, rows: Sequence[Typed]) -> SalesReport:
    """Keep what was typed so far, good or not; the designer does not see it. Raises Conflict `report_submitted`."""
    _license, statement = _locked(session, actor, statement_id)
    report = _report(session, statement)
    _check_open(statement, report)
    kept = [dict(row) for row in rows if not blank(row)]
    if len(kept) > MAX_ROWS:
        raise Invalid("too_many_rows", "A report has at most 1,000 rows; add them up by country and channel.")
    report.typed = kept
    record(session, actor, "sales.saved", report.id, owner_org_id=statement.buyer_org_id, rows=len(kept))
    return report


def submit(
    session: Session, actor: Actor, statement_id: str, rows: Sequence[Typed], *, nothing_sold: bool
) -> Statement:
    """File the sales of a quarter and have its statement made; once, and for good (see `correct`).

    Raises Invalid with `errors` by row and column for what cannot be read, Invalid `nothing_typed` for no rows without
    `nothing_sold`; Conflict `report_submitted`, or `earlier_report_missing` while an earlier quarter is not reported.
    """
    license_, statement = _locked(session, actor, statement_id)
    report = _report(session, statement)
    _check_open(statement, report)
    sales, wrong = read(rows, statement.currency)
    if wrong:
        raise Invalid(
            "rows_wrong",
            "Some rows cannot be read. Correct the marked ones.",
            fields={f"{index}.{name}": text for index, found in sorted(wrong.items()) for name, text in found.items()},
        )
    if not sales and not nothing_sold:
        words = "Fill in at least one row, or say that nothing was sold."
        raise Invalid("nothing_typed", words, fields={"nothing_sold": words})
    if sales and nothing_sold:
        words = "You filled in rows and said that nothing was sold. Choose one."
        raise Invalid("both_typed", words, fields={"nothing_sold": words})
    _check_earlier(session, statement)
    REPORT.advance(report, "submit", {"buyer"})
    report.typed = []
    report.submitted_at, report.submitted_by = clock.now(), actor.user_id
    session.flush()
    marks = flags(sales, scope_of(session, license_))
    for position, (sale, marked) in enumerate(zip(sales, marks, strict=True)):
        session.add(_line(report, statement, position, sale, marked))
    session.flush()
    record(
        session,
        actor,
        "sales.reported",
        report.id,
        owner_org_id=statement.designer_org_id,
        statement=statement.id,
        rows=len(sales),
        flagged=sum(1 for marked in marks if marked),
    )
    if any(marks):
        path = f"/royalties/{statement.id}"
        notify_org(session, statement.designer_org_id, "sales_flagged", path=path, design=statement.design_title)
    stage_issue(session, statement)
    return statement


def correct(session: Session, actor: Actor, line_id: str, changed: Sale, reason: str) -> SalesLine:
    """Amend a reported line by a line of differences; the statement that counted it stays as it is.

    Country and channel stay those of the line. Raises Invalid `nothing_changed`, Conflict `not_issued` while the
    statement that counts the line has not been issued.
    """
    found = session.get(SalesLine, line_id)
    if found is None or found.corrects is not None:
        raise NotFound
    license_, statement = _locked(session, actor, found.statement_id)
    if statement.state not in STANDING:
        raise Conflict("not_issued", "The statement is still being made. Try again in a moment.")
    now = _as_it_is(session, found)
    difference = SalesLine(
        statement_id=statement.id,
        license_id=license_.id,
        designer_org_id=license_.designer_org_id,
        buyer_org_id=license_.buyer_org_id,
        position=0,
        corrects=found.id,
        sold_ends=found.sold_ends,
        quantity=changed.quantity - now.quantity,
        territory=found.territory,
        channel=found.channel,
        gross=changed.gross - now.gross,
        discounts=changed.discounts - now.discounts,
        returns=changed.returns - now.returns,
        taxes=changed.taxes - now.taxes,
        currency=found.currency,
        flags=[],
        note=reason,
    )
    if not any(getattr(difference, name) for name in ("quantity", "gross", "discounts", "returns", "taxes")):
        raise Invalid("nothing_changed", "These are the figures that are there already.")
    report = SalesReport(
        statement_id=statement.id,
        license_id=license_.id,
        designer_org_id=license_.designer_org_id,
        buyer_org_id=license_.buyer_org_id,
        kind="correction",
        state=REPORT.initial,
        submitted_at=clock.now(),
        submitted_by=actor.user_id,
    )
    REPORT.advance(report, "submit", {"buyer"})
    session.add(report)
    session.flush()
    difference.report_id = report.id
    session.add(difference)
    session.flush()
    record(session, actor, "sales.corrected", found.id, owner_org_id=statement.designer_org_id, statement=statement.id)
    path = f"/royalties/{statement.id}"
    notify_org(session, statement.designer_org_id, "sales_corrected", path=path, design=statement.design_title)
    return difference


def stage_issue(session: Session, statement: Statement) -> None:
    """Have a statement made; asked twice it is made once."""
    stage(
        session,
        JobName.ISSUE_STATEMENT,
        statement.id,
        {"statement_id": statement.id},
        subject=statement.id,
    )


def scope_of(session: Session, license_: License) -> Scope:
    """What the license allows and what is known of its pieces now."""
    terms = license_.terms
    territories = frozenset(terms.get("territories") or [])
    lines = select(SalesLine).where(SalesLine.license_id == license_.id)
    sold = select(func.coalesce(func.sum(SalesLine.quantity), 0)).where(SalesLine.license_id == license_.id)
    numbered = lines.where(SalesLine.serial_from.is_not(None), SalesLine.corrects.is_(None))
    return Scope(
        territories=frozenset() if WORLD in territories else territories,
        channels=frozenset(terms.get("channels") or []),
        max_units=terms.get("max_units"),
        made=pieces.made(session, license_.id),
        numbered=tuple((row.first, row.last) for row in serials(session, license_id=license_.id)),
        sold=int(session.scalars(sold).one()),
        sold_serials=tuple((row.serial_from or 0, row.serial_to or 0) for row in session.scalars(numbered)),
    )


def _locked(session: Session, actor: Actor, statement_id: str) -> tuple[License, Statement]:
    """License and statement, locked in this order. Raises NotFound unless the actor is the buyer."""
    seen = session.get(Statement, statement_id)
    if seen is None or seen.buyer_org_id != actor.org_id:
        raise NotFound
    license_ = lock(session, License, seen.license_id)
    return license_, lock(session, Statement, statement_id)


def _report(session: Session, statement: Statement) -> SalesReport:
    """The quarter's report, made when there is none; the caller holds the statement's lock."""
    query = select(SalesReport).where(SalesReport.statement_id == statement.id, SalesReport.kind == "quarter")
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        found = SalesReport(
            statement_id=statement.id,
            license_id=statement.license_id,
            designer_org_id=statement.designer_org_id,
            buyer_org_id=statement.buyer_org_id,
            state=REPORT.initial,
        )
        session.add(found)
        session.flush()
    return found


def _check_open(statement: Statement, report: SalesReport) -> None:
    if statement.report_due is None:
        raise Conflict("no_report_due", "This license does not ask for a report of sales.")
    if report.state != "draft" or statement.state != "draft":
        raise Conflict(
            "report_submitted",
            "This report has been filed. Amend single lines on the page of the statement.",
            extra={"state": statement.state},
        )


def _check_earlier(session: Session, statement: Statement) -> None:
    earlier = (
        select(SalesReport.statement_id)
        .where(SalesReport.license_id == statement.license_id, SalesReport.state == "submitted")
        .scalar_subquery()
    )
    query = select(Statement.id).where(
        Statement.license_id == statement.license_id,
        Statement.kind == "quarter",
        Statement.state == "draft",
        Statement.starts < statement.starts,
        Statement.id.not_in(earlier),
    )
    missing = session.scalars(query.order_by(Statement.starts).limit(1)).one_or_none()
    if missing is not None:
        raise Conflict(
            "earlier_report_missing",
            "The quarter before this one has not been reported yet. Report that one first.",
            extra={"statement": missing},
        )


def _line(report: SalesReport, statement: Statement, position: int, sale: Sale, marks: list[str]) -> SalesLine:
    return SalesLine(
        report_id=report.id,
        statement_id=statement.id,
        license_id=statement.license_id,
        designer_org_id=statement.designer_org_id,
        buyer_org_id=statement.buyer_org_id,
        position=position,
        sold_ends=statement.ends,
        serial_from=sale.serial_from,
        serial_to=sale.serial_to,
        quantity=sale.quantity,
        territory=sale.territory,
        channel=sale.channel,
        gross=sale.gross,
        discounts=sale.discounts,
        returns=sale.returns,
        taxes=sale.taxes,
        currency=statement.currency,
        flags=marks,
        note=sale.note,
    )


def as_they_are(session: Session, lines: Sequence[SalesLine]) -> dict[str, Sale]:
    """Reported lines by id with the corrections made since."""
    ids = [line.id for line in lines]
    found = {line.id: _sale(line) for line in lines}
    query = select(SalesLine).where(SalesLine.corrects.in_(ids))
    for change in session.scalars(query):
        key = change.corrects or ""
        was = found[key]
        found[key] = replace(
            was,
            quantity=was.quantity + change.quantity,
            gross=was.gross + change.gross,
            discounts=was.discounts + change.discounts,
            returns=was.returns + change.returns,
            taxes=was.taxes + change.taxes,
        )
    return found


def _as_it_is(session: Session, line: SalesLine) -> Sale:
    return as_they_are(session, [line])[line.id]


def _sale(line: SalesLine) -> Sale:
    return Sale(
        quantity=line.quantity,
        territory=line.territory,
        channel=line.channel,
        gross=line.gross,
        discounts=line.discounts,
        returns=line.returns,
        taxes=line.taxes,
        serial_from=line.serial_from,
        serial_to=line.serial_to,
        note=line.note,
    )
