"""The product inside this process, with its jobs run here: fast, and no server needed while a world is made."""

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.transport import Answer
from marketplace.db import jobs
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.services import Services
from workers.registry import BINDINGS
from workers.run import execute

#: Work that a fresh instance can finish after it is up; the pictures it starts with are finished ones.
LATER = frozenset({jobs.JobName.RENDER_CAD})


@dataclass
class InProcess:
    """The product without a server."""

    app: Flask
    background: Services
    skip: frozenset[str] = LATER
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    _delivered: set[str] = field(default_factory=set)

    def visitor(self) -> "LocalVisitor":
        """A fresh browser without cookies."""
        return LocalVisitor(self.app.test_client())

    def send(self, method: str, path: str, *, token: str, body: Any, headers: dict[str, str]) -> Answer:
        """One API call."""
        signed = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        client = self.app.test_client(use_cookies=False)
        return _answer(client.open(path, method=method, json=body, headers=signed))

    def settle(self) -> None:
        """Deliver what the payments stand-in has to tell, then run everything that is due, two at a time."""
        self._deliver_events()
        with unit_of_work(self.background.engine, system("seed")) as session:
            due = jobs.due(session, limit=200, resend_after=jobs.LEASE * 0)
        mine = [job_id for job_id, name, _attempt in due if name not in self.skip]
        if not mine:
            time.sleep(0.05)
        list(self.pool.map(lambda job_id: execute(self.background, BINDINGS, job_id), mine))

    def _deliver_events(self) -> None:
        settings = self.background.settings
        if not settings.stripe_api_base:
            return
        found = requests.get(settings.stripe_api_base + "/_sandbox/events", timeout=60).json()["events"]
        for event in reversed(found):
            if event["id"] in self._delivered:
                continue
            body = json.dumps({k: v for k, v in event.items() if k != "delivery"})
            at = int(time.time())
            key = settings.stripe_webhook_secret.encode()
            signature = hmac.new(key, f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
            headers = {"Stripe-Signature": f"t={at},v1={signature}"}
            self.app.test_client().post("/webhooks/stripe", data=body, headers=headers)
            self._delivered.add(event["id"])


@dataclass
class LocalVisitor:
    """A browser in this process."""

    client: FlaskClient

    def send(self, method: str, path: str, form: dict[str, Any] | None) -> Answer:
        """One request, redirects not followed."""
        return _answer(self.client.open(path, method=method, data=form))


def _answer(response: TestResponse) -> Answer:
    kind = response.mimetype or ""
    body = response.get_json(silent=True) if "json" in kind else None
    text = response.get_data(as_text=True) if kind.startswith("text/") else ""
    return Answer(response.status_code, text, body, dict(response.headers))
