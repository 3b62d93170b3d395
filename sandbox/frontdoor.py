"""What the stand-ins share: a small web server on loopback, and failures that can be ordered.

A stand-in answers only to its own names, so that a page from elsewhere in the same browser can neither read
nor drive it.
"""

import logging
import re
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, abort, jsonify, request, send_from_directory
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

_NAMES = {"127.0.0.1", "localhost", "[::1]"}
_PAGES = Path(__file__).with_name("pages")
# No form-action: paying and onboarding end in a redirect to the product's own address.
_CSP = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Failure:
    """How one call shall fail. With `lose_answer` the call takes effect and the connection is cut."""

    status: int | None
    lose_answer: bool
    delay_ms: int
    kind: str
    text: str = ""


class FailurePlan:
    """The failures ordered through `POST /_sandbox/fail`, used up call by call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._path = re.compile("")
        self._failure = Failure(500, False, 0, "status")

    def order(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Fail the `next` calls whose path matches `path`; returns what is ordered now."""
        with self._lock:
            self._left = int(wish.get("next", 1))
            self._path = re.compile(str(wish.get("path", "")))
            kind = str(wish.get("kind", "status"))
            lose, delay = bool(wish.get("lose_answer", False)), int(wish.get("delay_ms", 0))
            status = wish.get("status")
            if status is None and kind == "status" and not lose and not delay:
                status = 500
            code = None if status is None else int(status)
            self._failure = Failure(code, lose, delay, kind, str(wish.get("text", "")))
        return self.ordered()

    def ordered(self) -> dict[str, Any]:
        """What is still to fail."""
        with self._lock:
            failure = self._failure
            return {
                "next": self._left,
                "path": self._path.pattern,
                "status": failure.status,
                "kind": failure.kind,
                "lose_answer": failure.lose_answer,
                "delay_ms": failure.delay_ms,
            }

    def take(self, path: str) -> Failure | None:
        """The failure for a call to `path`, if one is due; waits its delay first."""
        with self._lock:
            if self._left <= 0 or not self._path.search(path):
                return None
            self._left -= 1
            failure = self._failure
        if failure.delay_ms:
            time.sleep(failure.delay_ms / 1000)
        return failure


def new_app(name: str, failures: FailurePlan) -> Flask:
    """A Flask app with `/_sandbox/health`, `/_sandbox/fail`, the shared style sheet and the guard."""
    app = Flask(name, static_folder=None, template_folder=str(_PAGES))
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @app.before_request
    def guard() -> None:
        if request.host.rsplit(":", 1)[0] not in _NAMES:
            abort(403, "this stand-in answers only on loopback")
        origin = request.headers.get("Origin")
        if origin not in {None, request.host_url.rstrip("/")} and request.method != "GET":
            abort(403, "pages from elsewhere may not drive this stand-in")

    @app.after_request
    def harden(response: Any) -> Any:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", _CSP)
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    @app.get("/_sandbox/sandbox.css")
    def style() -> Any:
        return send_from_directory(_PAGES, "sandbox.css", max_age=3600)

    @app.get("/favicon.ico")
    def icon() -> Any:
        return "", 204

    @app.get("/_sandbox/health")
    def health() -> Any:
        return jsonify(status="ok", sandbox=name)

    @app.route("/_sandbox/fail", methods=["GET", "POST"])
    def fail() -> Any:
        return jsonify(failures.order(json_body()) if request.method == "POST" else failures.ordered())

    return app


def json_body() -> dict[str, Any]:
    """The request's JSON object, {} when there is none. Answers 400 for anything else."""
    if not request.get_data():
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        abort(400, "send a JSON object")
    return body


def cut_connection() -> None:
    """Close the client's connection without an answer."""
    sock = request.environ.get("werkzeug.socket")
    if sock is not None:
        sock.close()
    raise ConnectionAbortedError("the answer is lost, as ordered")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are shown on the stand-in's own page, not in the terminal."""


def make_loopback_server(app: Flask, port: int) -> BaseWSGIServer:
    """A threaded server on 127.0.0.1; port 0 picks a free one."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)


def serve(app: Flask, port: int, close: Any) -> None:
    """Serve until SIGTERM or SIGINT, then call `close`."""
    server = make_loopback_server(app, port)

    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        close()
