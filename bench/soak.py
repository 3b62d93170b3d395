"""`python -m bench.soak [--seeds 50] [--first 1] [--operations 100]`: random money operations against the stand-in.

Each seed plays checkouts, payments by card and bank, refunds, disputes, transfers, payouts, reversals by hand and
accounts that close, while the stand-in loses answers, repeats, reorders and drops events and forgets keys. I1-I3 hold
or are named every 25 operations, the books against the stand-in's at the end of each seed. Prints what did not hold.
"""

import argparse
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.kit.instance import running_instance
from tests.kit.soak import Soak, forget, impatient

#: The database is emptied after so many seeds: every check reads all of the ledger.
_EMPTY_AFTER = 20


def main() -> int:
    """Play the seeds; the exit code is 1 when anything did not hold."""
    parser = argparse.ArgumentParser(prog="bench.soak")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--operations", type=int, default=100)
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # every refused job says so; they are counted below
    done: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    given_up: Counter[str] = Counter()
    problems: list[str] = []
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as scratch,
        running_instance(Path(scratch)) as instance,
        impatient(),
    ):
        for number in range(options.seeds):
            if number % _EMPTY_AFTER == 0:
                instance.empty()
            soak = Soak(instance.background, options.first + number)
            soak.play(options.operations)
            forget(instance.background.engine)
            done.update(soak.done)
            faults.update(soak.faults)
            given_up.update(soak.given_up)
            problems += soak.problems
            for problem in soak.problems:
                print(problem, flush=True)
            if number % 10 == 9:
                took = time.monotonic() - began
                print(
                    f"{number + 1} seeds, {sum(done.values())} operations, {took:.0f} s, {len(problems)} problems",
                    flush=True,
                )
    print(f"{options.seeds} seeds, {sum(done.values())} operations in {time.monotonic() - began:.0f} s")
    print("operations:", ", ".join(f"{name} {n}" for name, n in done.most_common()))
    print("faults:", ", ".join(f"{name} {n}" for name, n in faults.most_common()))
    print("jobs that gave up:", ", ".join(f"{name} {n}" for name, n in given_up.most_common()) or "none")
    print(f"problems: {len(problems)}")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
