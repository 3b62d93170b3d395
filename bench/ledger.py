"""How many bookings a second the ledger takes, chained and checked, by how many write at once.

    python -m bench.ledger [--bookings 2000] [--writers 1 4 8]

Needs DATABASE_URL and the rest of the environment of a background process of an instance made for this: it writes
bookings that belong to nothing. Prints one line a number of writers, and how long the whole check takes afterwards.
"""

import argparse
import secrets
import threading
import time

from marketplace.config import Settings
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.payments import ledger
from marketplace.services import Services

_ACTOR = system("bench")


def book(services: Services, run: str, writer: int, count: int) -> None:
    """`count` payments of three entries, each in a transaction of its own."""
    for number in range(count):
        with unit_of_work(services.engine, _ACTOR) as session:
            org = f"org_bench{writer}"
            ledger.post(
                session,
                key=f"bench:{run}:{writer}:{number}",
                kind="payment",
                subject_id=f"bench_{run}_{writer}_{number}",
                memo="Bench",
                currency="USD",
                lines=[
                    ledger.Line(ledger.STRIPE, 10_000),
                    ledger.Line(ledger.held(org), -9_000, org),
                    ledger.Line(ledger.FEES, -1_000),
                ],
            )


def main() -> None:
    """Book, then check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bookings", type=int, default=2_000)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 4, 8])
    options = parser.parse_args()
    services = Services(Settings.from_env(), background=True)
    for writers in options.writers:
        run, each = secrets.token_hex(4), options.bookings // writers
        threads = [threading.Thread(target=book, args=(services, run, n, each)) for n in range(writers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        print(f"{writers} writers: {each * writers} bookings in {took:.2f} s, {each * writers / took:.0f} a second")
    began = time.perf_counter()
    with unit_of_work(services.engine, _ACTOR) as session:
        wrong = ledger.problems(session)
    print(f"the whole check: {time.perf_counter() - began:.2f} s, {len(wrong)} problems")


if __name__ == "__main__":
    main()
