"""Request bodies that break off, never end or lie about their length, as raw bytes to the server of production."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.services.ports import Ports
from tests.kit.instance import Instance

ROOT = Path(__file__).parents[2]
THREADS = 3


@pytest.fixture(scope="module")
def port(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A web process with few threads."""
    number = Ports().take("any")
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "marketplace.wsgi:app", "--host", "127.0.0.1"]
    command += ["--port", str(number), "--workers", "1", "--blocking-threads", str(THREADS)]
    log = (tmp_path_factory.mktemp("web") / "log").open("wb")
    env = {**os.environ, **instance.env, "BASE_URL": f"http://localhost:{number}"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 180
        while True:
            try:
                requests.get(f"http://127.0.0.1:{number}/healthz", timeout=60).raise_for_status()
                break
            except requests.RequestException:
                assert process.poll() is None, "the web process did not start"
                assert time.monotonic() < end, "the web process does not answer"
                time.sleep(0.25)
        yield number
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def begin(port: int, headers: str, body: bytes = b"") -> socket.socket:
    """A connection on which a form was begun."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = f"POST /sign-in HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    connection.sendall(head.encode() + headers.encode() + b"\r\n" + body)
    return connection


def status(connection: socket.socket) -> int:
    """What it was answered, 0 when it was closed without an answer."""
    found = connection.recv(64)
    return int(found.split()[1]) if found else 0


def test_upl_20_a_body_that_breaks_off_or_never_ends_holds_nothing(port: int) -> None:
    for _ in range(3 * THREADS):
        begin(port, "Content-Length: 5000\r\n", b"email=").close()
    endless = [begin(port, "Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n") for _ in range(THREADS)]
    assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).status_code == 200
    for connection in endless:
        assert status(connection) == 411
        connection.close()


@pytest.mark.parametrize("length", ["-5", "abc", "5, 6", "99999999999999999999", "3000000"])
def test_upl_20_a_length_that_is_none_is_refused(port: int, length: str) -> None:
    with begin(port, f"Content-Length: {length}\r\n", b"email=a") as connection:
        connection.settimeout(60)
        assert status(connection) in {0, 400, 403, 413}
    assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).status_code == 200
