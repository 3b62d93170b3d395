"""The books themselves: the chart, the chain, the invariants, the fee schedule."""

import threading
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.cli import check_ledger, list_fees
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.payments import accounts, chain, fees, ledger
from marketplace.payments.models import LedgerAccount
from marketplace.services import Services
from tests.kit.instance import Instance

_TEST = system("test")


def book(services: Services, key: str, amount: int = 100, currency: str = "USD", subject: str | None = None) -> None:
    with unit_of_work(services.engine, _TEST) as work:
        ledger.post(
            work,
            key=key,
            kind="payment",
            subject_id=subject,
            memo="Ring “Onda” \\ 1\n",
            currency=currency,
            lines=[
                ledger.Line(ledger.STRIPE, amount),
                ledger.Line(ledger.held("org_a"), -amount + 10, "org_a"),
                ledger.Line(ledger.FEES, -10),
            ],
            external_id=f"ch_{key}",
        )


def problems(services: Services, anchor: chain.Head | None = None) -> list[str]:
    with unit_of_work(services.engine, _TEST) as work:
        return ledger.problems(work, anchor)


def as_owner(instance: Instance, *statements: str) -> None:
    """What somebody with the owner's rights can do: the triggers are switched off first."""
    tables = ("ledger_entries", "ledger_transactions", "ledger_links")
    with instance.owner.begin() as connection:
        for table in tables:
            connection.execute(text(f"alter table {table} disable trigger all"))
        for statement in statements:
            connection.execute(text(statement))
        for table in tables:
            connection.execute(text(f"alter table {table} enable trigger all"))


def test_the_chart_in_the_database_is_the_one_in_the_code(session: Session) -> None:
    rows = {(a.code, a.kind, a.side, a.per_org) for a in session.query(LedgerAccount)}
    assert rows == {(a.code, a.kind, a.side, a.per_org) for a in accounts.CHART}
    assert accounts.line_of(accounts.held("org_x")) is not None
    assert accounts.line_of("assets:somewhere") is None


@pytest.mark.parametrize(
    ("account", "org_id"),
    [
        ("assets:elsewhere", None),
        ("assets:stripe", "org_a"),
        ("liabilities:held:org_b", "org_a"),
        ("liabilities:held", None),
    ],
)
def test_an_account_outside_of_the_chart_is_refused(services: Services, account: str, org_id: str | None) -> None:
    lines = [ledger.Line(account, 5, org_id), ledger.Line(ledger.FEES, -5)]
    with pytest.raises(DBAPIError, match="chart of accounts"), unit_of_work(services.engine, _TEST) as work:
        ledger.post(work, key="k", kind="t", subject_id=None, memo="", currency="USD", lines=lines)


def test_every_booking_gets_one_link_also_when_many_book_at_once(services: Services) -> None:
    def many(worker: int) -> None:
        for n in range(12):
            book(services, f"{worker}-{n}", currency=["USD", "EUR"][n % 2])

    threads = [threading.Thread(target=many, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work(services.engine, _TEST) as work:
        assert chain.head(work).seq == 96
    assert problems(services) == []


def test_a_rolled_back_booking_leaves_no_gap(services: Services) -> None:
    book(services, "a")
    lines = [ledger.Line(ledger.STRIPE, 1), ledger.Line(ledger.FEES, -1)]
    work = Session(services.engine)
    ledger.post(work, key="b", kind="payment", subject_id=None, memo="", currency="USD", lines=lines)
    work.execute(text("set constraints all immediate"))
    work.rollback()
    work.close()
    book(services, "c")
    with unit_of_work(services.engine, _TEST) as work:
        assert chain.head(work).seq == 2
    assert problems(services) == []


def test_a_closed_booking_takes_no_further_entries(services: Services) -> None:
    book(services, "a")
    statement = (
        "insert into ledger_entries(transaction_id, account, amount, currency, created_at)"
        " select id, 'assets:stripe', n, 'USD', now() from ledger_transactions, (values (1), (-1)) v(n)"
    )
    with pytest.raises(DBAPIError, match="is closed"), unit_of_work(services.engine, _TEST) as work:
        work.execute(text(statement))


#: What an owner of the tables may do to the rows of one booking, and a word of what the check says (PAY-23).
TAMPERINGS: dict[str, tuple[str, str]] = {
    "amounts": ("update ledger_entries set amount = amount * 2 where transaction_id = :id", "link 3"),
    "account": (
        "update ledger_entries set account = 'expenses:losses' where transaction_id = :id and amount = -10",
        "link 3",
    ),
    "payee": (
        "update ledger_entries set org_id = 'org_z', account = 'liabilities:held:org_z'"
        " where transaction_id = :id and org_id is not null",
        "link 3",
    ),
    "currency": ("update ledger_entries set currency = 'EUR' where transaction_id = :id", "link 3"),
    "memo": ("update ledger_transactions set memo = 'x' where id = :id", "link 3"),
    "object": ("update ledger_transactions set external_id = 'ch_x' where id = :id", "link 3"),
    "time": ("update ledger_transactions set created_at = created_at - interval '1 day' where id = :id", "link 3"),
    "entries removed": ("delete from ledger_entries where transaction_id = :id", "link 3"),
    "booking removed": ("delete from ledger_transactions where id = :id", "link 3"),
    "link removed": ("delete from ledger_links where transaction_id = :id", "link 3 of the chain is missing"),
    "link changed": ("update ledger_links set hash = sha256('x') where transaction_id = :id", "link 3"),
    "booking added": (
        "insert into ledger_transactions select id || 'x', key || 'x', kind, subject_id, memo, created_at"
        " from ledger_transactions where id = :id",
        "has no link",
    ),
}


def test_every_change_by_sql_is_seen(services: Services, db: Instance) -> None:
    for n in range(5):
        book(services, f"b{n}", subject=f"lic_{n}")
    with unit_of_work(services.engine, _TEST) as work:
        third = work.scalar(text("select transaction_id from ledger_links where seq = 3"))
        rows = {
            table: [dict(row._mapping) for row in work.execute(text(f"select * from {table}"))]
            for table in ("ledger_transactions", "ledger_entries", "ledger_links")
        }
    assert problems(services) == []
    for name, (statement, said) in TAMPERINGS.items():
        as_owner(db, statement.replace(":id", f"'{third}'"))
        assert any(said in line for line in problems(services)), name
        with db.owner.begin() as connection:
            for table in reversed(list(rows)):
                connection.execute(text(f"truncate {table} cascade"))
            for table in rows:
                connection.execute(text(f"alter table {table} disable trigger all"))
            for table, kept in rows.items():
                columns = ", ".join(kept[0])
                values = ", ".join(f":{column}" for column in kept[0])
                connection.execute(text(f"insert into {table}({columns}) values ({values})"), kept)
            for table in rows:
                connection.execute(text(f"alter table {table} enable trigger all"))
    assert problems(services) == []


def test_a_chain_made_anew_is_seen_by_the_anchor(services: Services, db: Instance) -> None:
    for n in range(4):
        book(services, f"b{n}")
    with unit_of_work(services.engine, _TEST) as work:
        anchor = chain.head(work)
    book(services, "after")
    assert problems(services, anchor) == []
    anew = (
        "do $$ declare l record; last bytea := ''; begin"
        " for l in select seq, transaction_id from ledger_links order by seq loop"
        " last := sha256(last || convert_to(ledger_content(l.transaction_id), 'UTF8'));"
        " update ledger_links set hash = last where seq = l.seq; end loop; end $$"
    )
    as_owner(db, "update ledger_transactions set memo = 'x' where key = 'b1'", anew)
    assert problems(services) == []
    assert problems(services, anchor) == ["link 4 of the chain is not the one that was kept elsewhere"]
    as_owner(
        db,
        "delete from ledger_links where seq > 3",
        "delete from ledger_entries where transaction_id in"
        " (select id from ledger_transactions where key in ('b3', 'after'))",
        "delete from ledger_transactions where key in ('b3', 'after')",
    )
    assert problems(services) == []
    assert problems(services, anchor) == ["link 4 of the chain is not the one that was kept elsewhere"]


def test_wrong_sides_and_overspent_orders_are_named(services: Services) -> None:
    book(services, "a", amount=100, subject="ord_1")
    with unit_of_work(services.engine, _TEST) as work:
        lines = [ledger.Line(ledger.held("org_a"), 95, "org_a"), ledger.Line(ledger.STRIPE, -95)]
        ledger.post(work, key="t", kind="transfer", subject_id="ord_1", memo="", currency="USD", lines=lines)
    assert problems(services) == [
        "liabilities:held:org_a was overpaid by 5 USD",
        "ord_1 gave out 5 USD more than was paid for it",
    ]


def test_the_check_on_the_command_line(services: Services, db: Instance) -> None:
    book(services, "a")
    runner = CliRunner()
    good = runner.invoke(check_ledger, obj=services)
    assert good.exit_code == 0, good.output
    assert "The chain ends at 1:" in good.output
    assert runner.invoke(check_ledger, ["--anchor", good.output.split()[-1]], obj=services).exit_code == 0
    assert runner.invoke(check_ledger, ["--anchor", "x"], obj=services).exit_code == 2
    as_owner(db, "update ledger_entries set amount = amount + 1 where amount = -10")
    bad = runner.invoke(check_ledger, obj=services)
    assert bad.exit_code == 1
    assert "WRONG: USD is off by 1" in bad.output
    assert "license" in runner.invoke(list_fees, obj=services).output


def test_a_fee_holds_from_its_day_on_and_is_never_changed(services: Services, db: Instance) -> None:
    tomorrow = clock.now().date() + timedelta(days=1)
    try:
        with unit_of_work(services.engine, _TEST) as work:
            fees.announce(work, _TEST, purpose="license", bps=800, valid_from=tomorrow, note="Lower")
        with unit_of_work(services.engine, _TEST) as work:
            assert fees.rate(work, "license", clock.now()).bps == 1000
            later = fees.rate(work, "license", datetime.combine(tomorrow, datetime.min.time(), UTC))
            assert (later.bps, later.valid_from) == (800, tomorrow)
            assert fees.rate(work, "order", datetime.combine(tomorrow, datetime.min.time(), UTC)).bps == 1000
            with pytest.raises(Conflict, match="day already"):
                fees.announce(work, _TEST, purpose="license", bps=1, valid_from=tomorrow, note="")
        with pytest.raises(DBAPIError), unit_of_work(services.engine, _TEST) as work:
            work.execute(text("update fee_rates set bps = 0"))
    finally:
        with db.owner.begin() as connection:
            connection.execute(text("alter table fee_rates disable trigger append_only"))
            connection.execute(text("delete from fee_rates where valid_from > '2026-01-01'"))
            connection.execute(text("alter table fee_rates enable trigger append_only"))


@pytest.mark.parametrize(
    ("purpose", "bps", "days"), [("gift", 1, 1), ("order", -1, 1), ("order", 10_001, 1), ("order", 5, 0)]
)
def test_a_fee_that_makes_no_sense_is_refused(session: Session, purpose: str, bps: int, days: int) -> None:
    with pytest.raises(Invalid):
        fees.announce(
            session, _TEST, purpose=purpose, bps=bps, valid_from=clock.now().date() + timedelta(days=days), note=""
        )


def test_before_the_schedule_there_is_no_fee(session: Session) -> None:
    with pytest.raises(Conflict, match="No fee"):
        fees.rate(session, "license", datetime.combine(date(2025, 12, 31), datetime.min.time(), UTC))


def test_random_tamperings_are_found(services: Services, db: Instance) -> None:
    """Any amount of any booking changed, balanced or not: the check names its link (PAY-23)."""
    for n in range(6):
        book(services, f"b{n}")
    dice = Random(23)
    for _ in range(6):
        seq, extra = dice.randint(1, 6), dice.randint(1, 10**9)
        change = (
            f"update ledger_entries set amount = amount + {extra} * sign(amount)::int where account <> 'revenue:fees'"
            f" and transaction_id = (select transaction_id from ledger_links where seq = {seq})"
        )
        as_owner(db, change)
        assert [line for line in problems(services) if "link" in line] != []
        assert any(f"link {seq} " in line for line in problems(services))
        as_owner(db, change.replace("amount +", "amount -"))
    assert problems(services) == []
