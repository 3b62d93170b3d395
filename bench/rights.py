"""python -m bench.rights [--grants 10000]: the rights of one design with many grants; prints milliseconds."""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.availability import at_place, by_country
from marketplace.licensing.grants import axes_of, granted
from marketplace.licensing.nearest import in_the_way, nearest
from marketplace.licensing.rights import EVERYTHING, Scope, proposed
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import ALLOYS_OF, CHANNELS, COUNTRIES
from tests.kit.instance import running_instance

ROUNDS = 15
GRANT = text(
    "insert into rights_grants select 'lic_' || cast(:n as bigint), 'neg_' || cast(:n as bigint), 'dsn_bench', 'org_d',"
    " 'org_' || cast(:n as bigint), cast(:kind as text), t, tstzrange(now(), now() + interval '2 years'),"
    " rights_set('territories', t->'territories'), rights_set('channels', t->'channels'),"
    " rights_set('categories', t->'categories'), rights_set('metals', t->'metals'),"
    " case when cast(:kind as text) = 'exclusive' then int8range(null, null)"
    " else int8range(cast(:n as bigint), cast(:n as bigint), '[]') end from (select cast(:terms as jsonb) t) given"
)


def rows(count: int) -> list[dict[str, Any]]:
    """Exclusive rights for one country, channel and alloy each, as long as there are such, then shared ones."""
    lands, alloys = sorted(COUNTRIES), [alloy for family in ALLOYS_OF.values() for alloy in family]
    cells = [(land, way, alloy) for land in lands[:125] for way in CHANNELS for alloy in alloys]
    made = []
    for n in range(count):
        if n < min(len(cells), count * 4 // 5):
            land, way, alloy = cells[n]
            terms = f'{{"territories": ["{land}"], "channels": ["{way}"], "metals": ["{alloy}"]}}'
            made.append({"n": n, "kind": "exclusive", "terms": terms})
        else:
            some = ", ".join(f'"{lands[125 + (n * 7 + k) % 124]}"' for k in range(1 + n % 20))
            made.append({"n": n, "kind": "non_exclusive", "terms": f'{{"territories": [{some}]}}'})
    return made


def told(what: str, work: Callable[[], Any]) -> None:
    """Print the middle and the longest of ROUNDS, in ms of the clock and of this process."""
    took, spent = [], []
    for _ in range(ROUNDS):
        begun, cpu = time.perf_counter(), time.process_time()
        work()
        took.append(1000 * (time.perf_counter() - begun))
        spent.append(1000 * (time.process_time() - cpu))
    middle = sorted(took)[ROUNDS // 2]
    print(f"{what:<58} {middle:8.1f} ms  longest {max(took):7.1f}  own CPU {sorted(spent)[ROUNDS // 2]:7.1f}")


def main() -> None:
    """Fill one design and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=10_000)
    count = parser.parse_args().grants
    with tempfile.TemporaryDirectory() as folder, running_instance(Path(folder)) as instance:
        begun = time.perf_counter()
        with instance.owner.begin() as connection:
            connection.execute(GRANT, rows(count))
        with instance.owner.begin() as connection:
            connection.exec_driver_sql("analyze rights_grants")
        print(f"{count} grants, each checked by the database: {time.perf_counter() - begun:.1f} s")
        now = clock.now()
        base = {"term_months": 24, "fee": {"amount": 0, "currency": "USD"}}
        drafts = {
            "one country, exclusive": {"kind": "exclusive", "territories": ["DE"]},
            "European Union online in gold, exclusive": {
                **{"kind": "exclusive", "territories": ["EU"], "channels": ["online"], "metals": ["gold"]}
            },
            "the whole world, exclusive": {"kind": "exclusive", "territories": ["WORLD"]},
        }
        with unit_of_work(instance.background.engine, system("bench")) as session:

            def read(place: dict[str, Sequence[str]] | None = None) -> list[Scope]:
                return granted(session, "dsn_bench", now=now, place=place)

            standing = read()
            told("reading every grant", read)
            told(
                "one country: open, shared or taken, until when",
                lambda: at_place(standing, "DE", now, categories=EVERYTHING["categories"]),
            )
            told("the map: every country", lambda: by_country(standing, now, categories=EVERYTHING["categories"]))
            for name, terms in drafts.items():
                sheet = Terms.model_validate({**base, **terms})
                wanted = proposed(sheet, now)
                hits = len(in_the_way(wanted, standing))

                def solve(wanted: Scope = wanted) -> Any:
                    return nearest(wanted, standing, months=24)

                def whole(wanted: Scope = wanted, place: dict[str, Sequence[str]] = axes_of(sheet)) -> Any:
                    return nearest(wanted, read(place), months=24)

                found = solve()
                first = ", ".join(found[0].changed) if found else "free" if not hits else "nothing"
                print(f"{name}: {hits} in the way; nearest: {first}")
                told("  the nearest free scope", solve)
                told("  reading and solving", whole)


if __name__ == "__main__":
    main()
