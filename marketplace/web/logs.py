"""Structured logs: one JSON line an event, with the request id; no bodies, no query strings, no secrets."""

import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime

from flask import Flask, Response, g, has_app_context, request

_RECORD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRETS = re.compile(
    r"(sk_(?:test|live)_\w+|whsec_\w+|X-Amz-Signature=\w+|X-Amz-Credential=[^&\s]+|Bearer\s+\S+|password=\S+"
    r"|://[^/\s:@]+:[^@\s]+@)",
    re.IGNORECASE,
)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON line; values that look like secrets are blotted out."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a newline inside."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if rid := request_id():
            line["request_id"] = rid
        line.update({k: v for k, v in vars(record).items() if k not in _RECORD_FIELDS})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return _SECRETS.sub("[secret]", json.dumps(line, default=str, ensure_ascii=True))


def configure(level: str) -> None:
    """Send all logs of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("botocore", "urllib3", "stripe", "google_genai", "httpx2", "httpcore2", "PIL", "rq.worker"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def request_id() -> str | None:
    """The id of the current request, also sent as `X-Request-Id`."""
    return g.get("request_id") if has_app_context() else None


def install(app: Flask) -> None:
    """Give each request an id and log one line when it is answered."""

    @app.before_request
    def start() -> None:
        g.request_id = secrets.token_hex(8)
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint not in {"static", "health.healthz"}:
            actor = g.get("actor")
            app.logger.info(
                "request",
                extra={
                    "method": request.method,
                    "route": str(request.url_rule) if request.url_rule else None,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
                    "user": actor.user_id if actor else None,
                    "org": actor.org_id if actor else None,
                },
            )
        return response
