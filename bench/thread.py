"""The page of one long negotiation: what it costs to open, to read back, and to poll.

`python -m bench.thread [--messages 500] [--versions 40] [--rounds 20]` starts a throw-away instance, fills one thread
through the product's own operations, and asks for each page as the application does. Printed for each: statements,
milliseconds of wall time and of this process's processor (medians), and kilobytes of the answer.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from marketplace.app import create_app
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing import conversing, negotiating
from marketplace.licensing.terms import Terms
from tests.kit.instance import Instance, running_instance
from tests.kit.people import Make, Person


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(prog="bench.thread", description="What the page of a long negotiation costs.")
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--versions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-thread-") as place, running_instance(Path(place)) as instance:
        app = create_app(instance.settings)
        make = Make(app, instance.background)
        designer, buyer = make.person("designer"), make.person("buyer", locale="zh_Hans")
        began = time.monotonic()
        key = _fill(instance, designer, buyer, options.messages, options.versions)
        took = time.monotonic() - began
        print(f"{options.messages} messages, {options.versions} versions: filled in {took:.1f} s\n")
        engine: Engine = app.extensions["services"].engine
        client = designer.browser.client
        shown = client.get(f"/negotiations/{key}").get_data(as_text=True)
        older = shown.split("before=")[1].split('"')[0]
        tag = shown.split('If-None-Match": "\\"')[1].split('\\"')[0]
        poll = {"If-None-Match": f'"{tag}"', "HX-Request": "true"}
        after = clock.now().isoformat().replace("+", "%2B")
        print(f"{'page':<26}{'statements':>11}{'wall ms':>9}{'CPU ms':>8}{'kB':>7}")
        for name, path, headers in (
            ("newest", f"/negotiations/{key}", {}),
            ("earlier", f"/negotiations/{key}?before={older}", {}),
            ("one version", f"/negotiations/{key}/versions/{options.versions}", {}),
            ("counter form", f"/negotiations/{key}/counter", {}),
            ("poll, unchanged (304)", f"/negotiations/{key}/news?after={after}", poll),
        ):
            _measure(engine, name, lambda p=path, h=headers: client.get(p, headers=h), options.rounds)  # type: ignore[misc]
        api = designer.api
        _measure(engine, "API, all versions", lambda: api.get(f"/negotiations/{key}"), options.rounds)
        _measure(engine, "API, 60 messages", lambda: api.get(f"/negotiations/{key}/messages"), options.rounds)
        engine.dispose()


def _fill(instance: Instance, designer: Person, buyer: Person, messages: int, versions: int) -> str:
    engine = instance.background.engine
    with unit_of_work(engine, system("bench")) as session:
        design = Design(org_id=designer.org.id, title="Onda", category="ring", state="listed", listed_at=clock.now())
        session.add(design)
        session.flush()
        negotiation = negotiating.open_negotiation(session, buyer.actor, design.id, _terms(1))
        key = negotiation.id
        every = max(1, messages // versions)
        version = 1
        for number in range(messages):
            speaker = designer if number % 2 else buyer
            about = ("fee", version) if number % 9 == 0 else None
            words = (
                f"第 {number} 条：首批 {number} 件，18K 白金。"
                if speaker is buyer
                else f"Line {number}: 18k, ref. ON-{number}"
            )
            conversing.say(session, speaker.actor, key, words, about=about)
            if number % every == 0 and version < versions:
                answering = designer if version % 2 else buyer
                negotiating.make_offer(session, answering.actor, key, base_version=version, terms=_terms(version + 1))
                version += 1
    return key


def _terms(number: int) -> Terms:
    return Terms.model_validate(
        {
            "kind": "non_exclusive",
            "territories": ["DE", "FR", "IT", "CN"],
            "channels": ["online", "retail"],
            "term_months": 12 + number,
            "fee": {"amount": 125_000 + number * 1_000, "currency": "USD"},
            "royalty_percent": 7.5,
            "max_units": 100 * number,
            "credit": "Design by Rossi",
        }
    )


def _measure(engine: Engine, name: str, ask: Callable[[], Any], rounds: int) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    for _ in range(3):
        ask()
    walls, cpus, size = [], [], 0
    event.listen(engine, "before_cursor_execute", note)
    for _ in range(rounds):
        seen.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        answer = ask()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
        size = len(answer.get_data())
    event.remove(engine, "before_cursor_execute", note)
    wall_ms, cpu_ms = statistics.median(walls), statistics.median(cpus)
    print(f"{name:<26}{len(seen):>11}{wall_ms:>9.1f}{cpu_ms:>8.1f}{size / 1000:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
