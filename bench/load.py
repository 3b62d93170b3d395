"""Load on the pages that matter, beside the same pages as bare as they can be, in the same run.

    python -m bench.load [--requests 300] [--connections 8] [--page catalog]

Starts its own throw-away instance on loopback, fills it, asks for each page a bounded number of times from kept-alive
connections, alternating between the product and the floor (bench/floor.py) under the same server with the same
settings, prints a table and stops. CPU is what the web processes and PostgreSQL used, per request; believe the
ratios, not the absolutes.
"""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from bench.load_world import ROOT, World, fill
from sandbox.services.ports import Ports
from sandbox.services.process import Process, wait_until_ready
from sandbox.services.standins import healthy
from tests.kit.instance import Instance, running_instance

ROUNDS = 3
#: Enough for every connection (16 of them) to have prepared its statements and kept their plans.
WARM_UP = 240
#: The floor takes so little that it needs more requests to be measured.
FLOOR_TIMES = 3
#: As `Procfile` runs it.
SERVER = ("--workers", "2", "--blocking-threads", "8")


@dataclass(frozen=True)
class Page:
    """A page of the product, its floor, and how many times the floor's CPU it may take (None: no goal)."""

    name: str
    path: str
    floor: str
    goal: float | None = None
    signed_in: bool = True


def pages(world: World) -> list[Page]:
    """What is asked for."""
    return [
        Page("landing", "/", "/", signed_in=False),
        Page("catalog", "/catalog", "/catalog", 3.5),
        Page("filtered", "/catalog?category=ring&metal=gold&sort=price_up", "/filtered", 3),
        Page("search", "/catalog?q=gold+ring", "/search/gold%20ring", 3),
        Page("design", f"/catalog/{world.design_id}", f"/design/{world.design_id}", 4),
        Page("thread", f"/negotiations/{world.thread_id}", f"/thread/{world.thread_id}", 4),
    ]


@dataclass
class Server:
    """One running server and how to ask it."""

    process: Process
    port: int
    cookie: str = ""

    def cpu_s(self) -> float:
        """CPU seconds of the server and its children so far."""
        return _tree_cpu(self.process.pid or 0)

    def ask(self, path: str, requests: int, connections: int, *, signed_in: bool) -> list[float]:
        """Ask `requests` times over kept-alive connections; the seconds each took. Raises for any answer but 200."""
        left = iter(range(requests))
        lock = threading.Lock()
        headers = {"Cookie": self.cookie} if self.cookie and signed_in else {}

        def work(_number: int) -> list[float]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            took = []
            while True:
                with lock:
                    if next(left, None) is None:
                        break
                began = time.perf_counter()
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                took.append(time.perf_counter() - began)
                if answer.status != 200:
                    raise RuntimeError(f"{path} answered {answer.status}")
            connection.close()
            return took

        with ThreadPoolExecutor(connections) as pool:
            return [second for part in pool.map(work, range(connections)) for second in part]


@dataclass
class Measured:
    """All rounds of one page at one server; CPU and time in seconds. The system counts CPU in steps of 10 ms."""

    web_s: float = 0.0
    database_s: float = 0.0
    seconds: float = 0.0
    took: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        """CPU of web and database per request."""
        return (self.web_s + self.database_s) * 1000 / len(self.took)

    def add(self, server: Server, database: Callable[[], float], ask: Callable[[], list[float]]) -> None:
        """One round."""
        web, base, began = server.cpu_s(), database(), time.perf_counter()
        self.took += ask()
        self.seconds += time.perf_counter() - began
        self.web_s += server.cpu_s() - web
        self.database_s += database() - base

    def cells(self) -> str:
        """Requests/s, p95 ms, CPU ms of web and of the database."""
        number, p95 = len(self.took), statistics.quantiles(self.took, n=20)[-1] * 1000
        web, database = self.web_s * 1000 / number, self.database_s * 1000 / number
        return f"{number / self.seconds:7.0f} {p95:8.1f} {web:7.2f} {database:6.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=300, help="for each page and each server (at most 5,000)")
    parser.add_argument("--connections", type=int, default=8, help="kept alive, at the same time (at most 64)")
    parser.add_argument("--page", help="only this one")
    options = parser.parse_args()
    requests, connections = min(options.requests, 5_000), min(options.connections, 64)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, running_instance(Path(scratch)) as instance:
        os.environ.update(instance.env)  # for the jobs that fill() runs in this process
        world = fill(instance)
        product, floor = _servers(instance, world, Path(scratch))
        try:
            wait_until_ready([product.process, floor.process])
            wanted = [p for p in pages(world) if options.page in {None, p.name}]
            _print_head(world, requests, connections)
            for page in wanted:
                _print_row(page, *_measure(page, product, floor, instance, requests, connections))
        finally:
            product.process.stop()
            floor.process.stop()


def _measure(
    page: Page, product: Server, floor: Server, instance: Instance, requests: int, connections: int
) -> tuple[Measured, Measured]:
    database = _database_cpu(instance)
    each = max(1, requests // ROUNDS)
    both = (product, page.path, each, Measured()), (floor, page.floor, each * FLOOR_TIMES, Measured())

    def ask(server: Server, path: str, number: int) -> list[float]:
        return server.ask(path, number, connections, signed_in=page.signed_in)

    for server, path, _number, _result in both:
        ask(server, path, WARM_UP)
    for _round in range(ROUNDS):
        for server, path, number, result in both:
            result.add(server, database, partial(ask, server, path, number))
    return both[0][3], both[1][3]


def _servers(instance: Instance, world: World, scratch: Path) -> tuple[Server, Server]:
    ports = Ports()

    def serve(name: str, target: str, cookie: str, check: str) -> Server:
        port = ports.take(name)
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", target, "--host", "127.0.0.1"]
        process = Process(
            name,
            [*command, "--port", str(port), *SERVER],
            scratch / f"{name}.log",
            env={**os.environ, **instance.env, "LOG_LEVEL": "INFO"},
            cwd=ROOT,
            check=lambda: healthy(f"http://127.0.0.1:{port}{check}"),
        )
        process.start()
        return Server(process, port, cookie)

    return serve("product", "marketplace.wsgi:app", world.cookie, "/readyz"), serve(
        "floor", "bench.floor:app", "", "/healthz"
    )


def _database_cpu(instance: Instance) -> Callable[[], float]:
    """CPU seconds of PostgreSQL: of its main process, those it has, and those that have ended."""
    with instance.owner.connect() as connection:
        backend = int(connection.exec_driver_sql("select pg_backend_pid()").scalar() or 0)
        main = psutil.Process(backend).ppid()  # while the connection, and so the process, is there
    return lambda: _tree_cpu(main)


def _tree_cpu(pid: int) -> float:
    total = 0.0
    top = psutil.Process(pid)
    for process in [top, *top.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _print_head(world: World, requests: int, connections: int) -> None:
    print(f"{world.designs:,} listed designs ({world.source}), {requests} requests a page, {connections} connections,")
    print(f"granian {' '.join(SERVER)}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.")
    print("CPU in ms per request, web processes and PostgreSQL, over", ROUNDS, "rounds in turn.\n")
    columns = f"{'req/s':>7} {'p95 ms':>8} {'web':>7} {'db':>6}"
    print(f"{'':10} {'product':>31} {'floor':>31} {'CPU':>7}")
    print(f"{'page':10} {columns} {columns} {'ratio':>7}  goal")


def _print_row(page: Page, ours: Measured, bare: Measured) -> None:
    ratio = ours.cpu_ms / bare.cpu_ms
    goal = "" if page.goal is None else f"<= {page.goal:g}{'' if ratio <= page.goal else '  missed'}"
    print(f"{page.name:10} {ours.cells()} {bare.cells()} {ratio:6.1f}x  {goal}", flush=True)


if __name__ == "__main__":
    main()
