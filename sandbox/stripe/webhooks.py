"""Events and their delivery: signed, at least once, again and again with growing pauses until answered with
2xx.

Deliveries are kept with the objects, so that what happened while the receiver was down arrives when it is
back. Everything a network does to events can be ordered: holding, reordering, duplicating, dropping.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import stripe

from sandbox.stripe.chaos import Chaos
from sandbox.stripe.errors import ApiError, missing
from sandbox.stripe.store import Json, Store, public

#: Pauses between attempts, in seconds; the last repeats. (Stripe's own go up to hours.)
PAUSES = (0.5, 1, 2, 4, 8, 15)
TIMEOUT_S = 20
#: How much later an event comes that chance has put out of order.
LATE_S = 2.0


class Webhooks:
    """Makes events and delivers them to one address."""

    def __init__(self, store: Store, url: str, secret: str, chaos: Chaos) -> None:
        self._store, self._url, self._secret, self._chaos = store, url, secret, chaos
        self._wake = threading.Event()
        self.stopped = False
        self._hold = False
        self._duplicate = 1
        self._drop: tuple[int, re.Pattern[str]] = (0, re.compile(""))

    # Making

    def snapshot(self, kind: str, item: Json, account: str | None = None) -> Json:
        """An event that carries the object as it is now."""
        event: Json = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": stripe.api_version,
            "created": int(self._store.now()),
            "data": {"object": public(item)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        if account is not None:
            event["account"] = account
        return self._keep(event)

    def thin(self, kind: str, account_id: str) -> Json:
        """An Accounts v2 event: it names the account and carries nothing of it."""
        return self._keep(
            {
                "id": f"evt_test_{secrets.token_hex(12)}",
                "object": "v2.core.event",
                "type": kind,
                "livemode": False,
                "created": datetime.fromtimestamp(self._store.now(), UTC)
                .isoformat(timespec="milliseconds")
                .replace("+00:00", "Z"),
                "context": None,
                "related_object": {
                    "id": account_id,
                    "type": "v2.core.account",
                    "url": f"/v2/core/accounts/{account_id}",
                },
            }
        )

    def _keep(self, event: Json) -> Json:
        self._store.keep("event", event["id"], event)
        state = "pending"
        left, pattern = self._drop
        if left > 0 and pattern.search(event["type"]):
            self._drop, state = (left - 1, pattern), "dropped"
        more, late, lost = self._chaos.for_event()
        delivery = {
            "state": "dropped" if lost else state,
            "attempts": 0,
            "next_at": time.time() + LATE_S if late else 0.0,
            "last": None,
            "copies": self._duplicate + more,
            "late": late,
        }
        self._store.keep("delivery", event["id"], delivery)
        self._wake.set()
        return event

    # Looking

    def events(self) -> list[Json]:
        """Every event with its delivery, newest first."""
        with self._store.lock:
            deliveries = self._store.kept("delivery")
            return [
                {**event, "_delivery": deliveries.get(key)}
                for key, event in reversed(self._store.kept("event").items())
            ]

    def event(self, event_id: str) -> Json:
        """One event. Raises resource_missing."""
        found: Json | None = self._store.kept("event").get(event_id)
        if found is None:
            raise missing("event", event_id)
        return found

    def pending(self) -> list[str]:
        """Ids of events not yet delivered, oldest first."""
        with self._store.lock:
            return [k for k, d in self._store.kept("delivery").items() if d["state"] == "pending"]

    def state(self) -> dict[str, Any]:
        """What is ordered and what waits."""
        left, pattern = self._drop
        return {
            "url": self._url,
            "hold": self._hold,
            "duplicate": self._duplicate,
            "drop": left,
            "type": pattern.pattern,
            "pending": self.pending(),
        }

    # Ordering

    def order(self, wish: dict[str, Any]) -> dict[str, Any]:
        """`hold`, `release` (`"order"`, `"reversed"` or ids), `duplicate` n, `drop` n with `type`."""
        if "hold" in wish:
            self._hold = bool(wish["hold"])
        if "duplicate" in wish:
            self._duplicate = max(1, int(wish["duplicate"]))
        if "drop" in wish:
            self._drop = (int(wish["drop"]), re.compile(str(wish.get("type", ""))))
        sent: list[dict[str, Any]] = []
        if "release" in wish:
            how, waiting = wish["release"], self.pending()
            ids = how if isinstance(how, list) else waiting[::-1] if how == "reversed" else waiting
            sent = [{"id": key, "status": self.deliver(key)} for key in ids]
            self._hold = bool(wish.get("hold", False))
        self._wake.set()
        return {**self.state(), "sent": sent}

    def take(self, limit: int, at: int | None) -> list[dict[str, str]]:
        """Hand over what is pending instead of sending it, oldest first but for what is late, copies included, signed
        at epoch second `at`. For a receiver in the caller's own process.
        """
        with self._store.lock:
            taken = self.pending()[:limit]
            order: list[str] = []
            for key in taken:
                delivery = self._store.kept("delivery")[key]
                for _ in range(delivery["copies"]):
                    order.insert(self._chaos.place(len(order)) if delivery.get("late") else len(order), key)
                self._store.keep("delivery", key, {**delivery, "state": "delivered", "attempts": 1})
            bodies = {key: json.dumps(self.event(key)) for key in taken}
        return [{"id": key, "body": bodies[key], "signature": self.sign(bodies[key].encode(), at)} for key in order]

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is pending; False when the time is up."""
        end = time.monotonic() + seconds
        while self.pending():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    # Delivering

    def deliver(self, event_id: str) -> int:
        """Send an event now, as often as duplication asks; returns the last HTTP status, 0 without an
        answer.
        """
        with self._store.lock:
            body = json.dumps(self.event(event_id), indent=2).encode()
            delivery = dict(self._store.kept("delivery").get(event_id) or {"attempts": 0, "copies": 1})
        status = 0
        for _ in range(delivery["copies"]):
            status = self._post(body)
        done = 200 <= status < 300
        attempts = delivery["attempts"] + 1
        delivery |= {
            "attempts": attempts,
            "last": status,
            "state": "delivered" if done else "pending",
            "next_at": time.time() + PAUSES[min(attempts, len(PAUSES)) - 1],
        }
        with self._store.lock:
            if event_id in self._store.kept("delivery"):  # a reset may have come in between
                self._store.keep("delivery", event_id, delivery)
        return status

    def run(self) -> None:
        """Deliver what is due until `stop`; for a thread of its own."""
        while not self.stopped:
            self._wake.wait(0.25)
            self._wake.clear()
            for key in [] if self._hold else self.pending():
                if self._hold or self.stopped:
                    break
                self._deliver_if_due(key)

    def _deliver_if_due(self, event_id: str) -> None:
        due = self._store.kept("delivery").get(event_id, {}).get("next_at", 0) <= time.time()
        if due:
            with contextlib.suppress(ApiError):  # a reset took the event away meanwhile
                self.deliver(event_id)

    def stop(self) -> None:
        """End `run`."""
        self.stopped = True
        self._wake.set()

    def sign(self, body: bytes, at: int | None = None) -> str:
        """The `Stripe-Signature` header for a body."""
        moment = int(time.time()) if at is None else at
        digest = hmac.new(self._secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
        return f"t={moment},v1={digest}"

    def _post(self, body: bytes) -> int:
        if not self._url:
            return 204  # nobody listens: nothing to deliver
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks) sandbox",
            "Stripe-Signature": self.sign(body),
        }
        try:
            request = urllib.request.Request(self._url, body, headers)  # noqa: S310 (the launcher's own address)
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, http.client.HTTPException):
            return 0
