"""Real stand-ins for the gateways, each as its own process on loopback, and the object store of all tests."""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from marketplace.gateways.payment_types import BadSignature, WebhookEvent
from marketplace.gateways.payments import Payments
from marketplace.gateways.storage import Storage
from sandbox.services.ports import Ports
from tests.kit.instance import Instance

ROOT = Path(__file__).parents[2]
SECRET = "whsec_for_tests_only"
_PORTS = Ports()


def _free_port() -> int:
    return _PORTS.take("any")


def call(url: str, body: Any = None, method: str | None = None) -> Any:
    """JSON in, JSON out."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def _wait(ready: Callable[[], Any], process: subprocess.Popen[bytes], what: str) -> None:
    end = time.monotonic() + 180
    while True:
        try:
            ready()
            return
        except Exception:
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"{what} did not start (exit code {process.poll()})", pytrace=False)
            time.sleep(0.05)


@contextlib.contextmanager
def _running(what: str, arguments: list[str], ready: Callable[[], Any]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(arguments, cwd=ROOT)
    try:
        _wait(ready, process, what)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


@dataclass
class Sandbox:
    """One running stand-in."""

    url: str
    port: int

    def post(self, path: str, body: Any = None) -> Any:
        """Use the control API."""
        return call(self.url + path, {} if body is None else body)

    def get(self, path: str) -> Any:
        """Look through the control API."""
        return call(self.url + path)


@contextlib.contextmanager
def start_sandbox(name: str, *arguments: str, port: int | None = None) -> Iterator[Sandbox]:
    """Run `python -m sandbox.<name>` until the block ends."""
    port = port or _free_port()
    box = Sandbox(f"http://127.0.0.1:{port}", port)
    option = "--http-port" if name == "mail" else "--port"
    command = [sys.executable, "-m", f"sandbox.{name}", option, str(port), *arguments]
    with _running(name, command, lambda: box.get("/_sandbox/health")):
        yield box


@dataclass
class Receiver:
    """A webhook endpoint that believes only what the gateway verifies."""

    port: int
    events: list[WebhookEvent] = field(default_factory=list)
    raw: list[tuple[bytes, str]] = field(default_factory=list)
    refused: int = 0
    status: int = 200

    def types(self) -> list[str]:
        """The types received so far, in order of arrival."""
        return [event.type for event in self.events]


@pytest.fixture(scope="session")
def _receiver() -> Iterator[Receiver]:
    verifier = Payments("sk_test_x", "http://127.0.0.1:9", [SECRET])
    port = _free_port()
    receiver = Receiver(port)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.status
            if status == 200:
                try:
                    receiver.events.append(verifier.verify_webhook(body, self.headers["Stripe-Signature"]))
                    receiver.raw.append((body, self.headers["Stripe-Signature"]))
                except BadSignature:
                    receiver.refused, status = receiver.refused + 1, 400
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def _stripe(_receiver: Receiver) -> Iterator[Sandbox]:
    url = f"http://127.0.0.1:{_receiver.port}/webhooks"
    with start_sandbox("stripe", "--webhook-url", url, "--webhook-secret", SECRET) as box:
        yield box


@pytest.fixture
def stripe_box(_stripe: Sandbox, _receiver: Receiver) -> Sandbox:
    """The Stripe stand-in, empty."""
    _stripe.post("/_sandbox/reset")
    _stripe.post("/_sandbox/fail", {"next": 0})
    _stripe.post("/_sandbox/settings", {"settle_after_s": 0, "payout_after_s": 3600})
    _receiver.events.clear()
    _receiver.raw.clear()
    _receiver.refused, _receiver.status = 0, 200
    return _stripe


@pytest.fixture
def receiver(stripe_box: Sandbox, _receiver: Receiver) -> Receiver:
    """Where the Stripe stand-in sends its events."""
    return _receiver


@pytest.fixture
def payments(stripe_box: Sandbox) -> Payments:
    """The gateway on the Stripe stand-in."""
    return Payments("sk_test_gateways", stripe_box.url, [SECRET])


@pytest.fixture(scope="session")
def _mail() -> Iterator[tuple[Sandbox, str]]:
    smtp_port = _free_port()
    with start_sandbox("mail", "--smtp-port", str(smtp_port)) as box:
        yield box, f"smtp://127.0.0.1:{smtp_port}"


@pytest.fixture
def mail_box(_mail: tuple[Sandbox, str]) -> Sandbox:
    """The mail stand-in, empty."""
    box, _ = _mail
    box.post("/_sandbox/fail", {"next": 0})
    urllib.request.urlopen(urllib.request.Request(box.url + "/_sandbox/mails", method="DELETE")).close()
    return box


@pytest.fixture
def smtp_url(_mail: tuple[Sandbox, str], mail_box: Sandbox) -> str:
    """Where the mail stand-in takes mail."""
    return _mail[1]


@pytest.fixture(scope="session")
def s3(instance: Instance) -> dict[str, str]:
    """The object store: endpoint_url, region, access_key, secret_key."""
    return {
        "endpoint_url": instance.settings.s3_endpoint_url,
        "region": instance.settings.s3_region,
        "access_key": instance.settings.s3_access_key_id,
        "secret_key": instance.settings.s3_secret_access_key,
    }


@pytest.fixture(scope="session")
def storage(instance: Instance) -> Storage:
    """The gateway on a real object store, its bucket made."""
    return instance.background.storage


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The hostile corpus; tests that need it are skipped without it."""
    path = Path(os.environ.get("TOUCHSTONE_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("the data set is not here (TOUCHSTONE_DATA)")
    return path


@pytest.fixture
def sandbox_runner() -> Any:
    """`start_sandbox`, for tests that need a stand-in of their own."""
    return start_sandbox


@pytest.fixture(scope="module")
def gemini_box() -> Iterator[Sandbox]:
    """The Gemini stand-in, shared by a module."""
    with start_sandbox("gemini") as box:
        yield box


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    return _free_port()
