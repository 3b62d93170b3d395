"""The inbox of one organization with thousands of threads, among many others: what its pages cost.

`python -m bench.inbox [--threads 5000] [--others 20000] [--rounds 20]` starts a throw-away instance, fills it through
the database's own triggers, and asks for each page as the application does. Printed for each: statements, milliseconds
of wall time, of this process's processor and in the database, and which index each part of a statement used.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from marketplace.app import create_app
from tests.kit.instance import Instance, running_instance
from tests.kit.people import Make, Person

_TERMS = """{"kind": "non_exclusive", "territories": ["DE", "FR"], "channels": ["online"], "term_months": 24,
 "fee": {"amount": 125000, "currency": "USD"}, "royalty_percent": 7.5}"""
# One in seven is the designer's turn, one in seven the buyer's, the rest is over; half of the open ones hold news.
_NEGOTIATIONS = """
insert into negotiations (id, design_id, designer_org_id, buyer_org_id, state, turn, current_version, expires_at,
  snapshot, created_at, updated_at)
select 'neg_' || :mark || n, 'dsn_' || :mark || n, :designer, :buyer,
  case when n % 7 < 2 then 'open' else 'declined' end, case when n % 7 = 0 then 'designer' else 'buyer' end, 1,
  now() + (1 + n % 40) * interval '12 hours', jsonb_build_object('title', 'Ring ' || n || ' 戒指'),
  now() - n * interval '1 minute', now() - n * interval '1 minute'
from generate_series(1, :many) n
"""
_OFFERS = """
insert into offers (id, negotiation_id, version, by_org_id, by_user_id, side, terms, terms_hash, created_at)
select 'off_' || :mark || n, 'neg_' || :mark || n, 1, :buyer, 'usr_bench', 'buyer', cast(:terms as jsonb),
  repeat('0', 64),
  now() - n * interval '1 minute'
from generate_series(1, :many) n
"""
_MESSAGES = """
insert into messages (id, negotiation_id, org_id, to_org_id, user_id, text, lang, files, created_at)
select 'msg_' || :mark || n || '_' || k, 'neg_' || :mark || n, :buyer, :designer, 'usr_bench',
  'Message ' || k || ' about ring ' || n || case when n % 250 = 0 then ', in 18k 白金, ref. ON-0417' else '' end,
  'en', '[]',
  now() - n * interval '1 minute'
from generate_series(1, :many) n, generate_series(1, 3) k
"""
_READS = """
insert into negotiation_reads (negotiation_id, org_id, read_at)
select 'neg_' || :mark || n, :designer, now() from generate_series(1, :many) n where n % 14 <> 0 and n % 14 <> 1
"""
_PAGES = (
    ("all", "/negotiations"),
    ("your turn", "/negotiations?show=needs_me"),
    ("expiring soon", "/negotiations?show=expiring"),
    ("unread", "/negotiations?show=unread"),
    ("closed", "/negotiations?show=closed"),
    ("search, 20 hits", "/negotiations?q=18k白金"),
    ("search, all hits", "/negotiations?q=ring"),
    ("search, none", "/negotiations?q=zirconium"),
    ("API, all", "/api/v1/negotiations"),
)


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(prog="bench.inbox", description="What the pages of a large inbox cost.")
    parser.add_argument("--threads", type=int, default=5_000)
    parser.add_argument("--others", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-inbox-") as place, running_instance(Path(place)) as instance:
        app = create_app(instance.settings)
        make = Make(app, instance.background)
        designer = make.person("designer")
        started = time.monotonic()
        _fill(instance, designer.org.id, make.org("buyer").id, "a", options.threads)
        _fill(instance, make.org("designer").id, make.org("buyer").id, "b", options.others)
        with instance.owner.begin() as connection:
            connection.exec_driver_sql("analyze")
        made = options.threads + options.others
        took = time.monotonic() - started
        print(f"{made:,} negotiations with {made * 3:,} messages through the triggers: {took:.1f} s\n")
        engine: Engine = app.extensions["services"].engine
        print(f"{'page':<22}{'statements':>11}{'wall ms':>9}{'CPU ms':>8}{'database ms':>13}")
        for name, path in _PAGES:
            _print(name, _measure(engine, lambda path=path: _get(designer, path), options.rounds))  # type: ignore[misc]
        tag = designer.browser.client.get("/negotiations?part=list").headers["ETag"]
        same = {"If-None-Match": tag}
        client = designer.browser.client
        poll = _measure(engine, lambda: client.get("/negotiations?part=list", headers=same).status_code, options.rounds)
        _print("poll, unchanged (304)", poll)
        for name, path in (("all", _PAGES[0][1]), ("unread", _PAGES[3][1]), ("search", _PAGES[5][1])):
            print(f"\nIndexes of the page '{name}':")
            for line in _indexes(engine, lambda path=path: _get(designer, path)):  # type: ignore[misc]
                print("  " + line)
        engine.dispose()


def _fill(instance: Instance, designer: str, buyer: str, mark: str, many: int) -> None:
    values = {"designer": designer, "buyer": buyer, "mark": mark, "many": many, "terms": _TERMS}
    with instance.background.engine.begin() as connection:
        for statement in (_NEGOTIATIONS, _OFFERS, _MESSAGES, _READS):
            connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})


def _get(person: Person, path: str) -> int:
    if path.startswith("/api/"):
        return person.api.get(path.removeprefix("/api/v1")).status_code
    return person.browser.client.get(path).status_code


@contextmanager
def _watched(engine: Engine) -> Iterator[list[tuple[str, Any, float]]]:
    """Every statement sent meanwhile, with its parameters and seconds."""
    seen: list[tuple[str, Any, float]] = []
    began: list[float] = []

    def before(*_args: Any) -> None:
        began.append(time.perf_counter())

    def after(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters, time.perf_counter() - began.pop()))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    yield seen
    event.remove(engine, "before_cursor_execute", before)
    event.remove(engine, "after_cursor_execute", after)


def _measure(engine: Engine, ask: Callable[[], int], rounds: int) -> tuple[int, float, float, float]:
    """Statements of one call, and medians of wall, processor and database time in milliseconds."""
    for _ in range(3):
        ask()
    walls, cpus, databases, statements = [], [], [], 0
    for _ in range(rounds):
        with _watched(engine) as seen:
            wall, cpu = time.perf_counter(), time.process_time()
            status = ask()
            walls.append((time.perf_counter() - wall) * 1000)
            cpus.append((time.process_time() - cpu) * 1000)
        if status not in {200, 304}:
            raise SystemExit(f"answered {status}")
        databases.append(sum(seconds for *_what, seconds in seen) * 1000)
        statements = len(seen)
    return statements, statistics.median(walls), statistics.median(cpus), statistics.median(databases)


def _print(name: str, found: tuple[int, float, float, float]) -> None:
    statements, wall, cpu, database = found
    print(f"{name:<22}{statements:>11}{wall:>9.1f}{cpu:>8.1f}{database:>13.1f}")


def _indexes(engine: Engine, ask: Callable[[], int]) -> list[str]:
    """How the database reads the tables of the inbox for one page: scan, index, rows."""
    with _watched(engine) as seen:
        ask()
    found: list[str] = []
    with engine.connect() as connection:
        for statement, parameters, _seconds in seen:
            if "set_config" in statement:
                connection.exec_driver_sql(statement, parameters)
            elif "inbox_threads" in statement:
                plan = connection.exec_driver_sql(
                    "explain (analyze, format json) " + statement, parameters
                ).scalar_one()
                found += _scans(plan[0]["Plan"])
        connection.rollback()
    return found


def _scans(plan: dict[str, Any]) -> list[str]:
    own = []
    if "Scan" in plan["Node Type"] and plan.get("Relation Name", plan.get("Index Name", "")).find("inbox_threads") >= 0:
        own = [f"{plan['Node Type']} {plan.get('Index Name', '')}: {plan['Actual Rows']:.0f} rows"]
    return own + [line for child in plan.get("Plans", []) for line in _scans(child)]


if __name__ == "__main__":
    main()
