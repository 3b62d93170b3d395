"""Faults by chance, the same for the same seed: what a bad week at the vendor looks like.

Calls and events draw from two streams, so that how often the receiver polls does not change what happens to events.
The order of draws is the order of calls: one caller at a time gets the same faults each time.
"""

import random
from collections import Counter
from typing import Any

from sandbox.frontdoor import Failure

#: What may happen to a call, and to an event, with the chance of each; all are zero until ordered.
CALL_FAULTS = ("lost_answer", "error", "rate_limit", "slow")
EVENT_FAULTS = ("duplicate", "reorder", "drop")
#: The library asks three times in all; a fault that stays longer is seen by the caller.
_TRIES = 3


class Chaos:
    """The faults of one seed."""

    def __init__(self) -> None:
        self._seed: int | None = None
        self._rates: dict[str, float] = {}
        self._slow_ms = 50
        self._counts: Counter[str] = Counter()
        self._staying: dict[str, tuple[Failure, int]] = {}
        self._calls = self._events = random.Random(0)

    def order(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Begin with `seed` and `rates`, or end with a seed of null; `stay` is the share of faults of a call that last
        for all its repetitions.
        """
        seed = wish.get("seed")
        self._seed = None if seed is None else int(seed)
        rates = wish.get("rates") or {}
        self._rates = {k: float(v) for k, v in rates.items() if k in {*CALL_FAULTS, *EVENT_FAULTS, "stay"}}
        self._slow_ms = int(wish.get("slow_ms", 50))
        self._counts.clear()
        self._staying.clear()
        self._calls, self._events = random.Random(f"{seed} calls"), random.Random(f"{seed} events")
        return self.state()

    def state(self) -> dict[str, Any]:
        """What is ordered and how often each fault has happened."""
        return {"seed": self._seed, "rates": self._rates, "slow_ms": self._slow_ms, "counts": dict(self._counts)}

    def for_call(self, key: str, *, writes: bool) -> Failure | None:
        """The fault of one call; `key` is the same for its repetitions."""
        if self._seed is None:
            return None
        if key in self._staying:
            failure, left = self._staying.pop(key)
            if left > 1:
                self._staying[key] = (failure, left - 1)
            return failure
        draw = self._calls.random()
        stays = self._calls.random() < self._rates.get("stay", 0.5)
        for name in CALL_FAULTS:
            draw -= self._rates.get(name, 0.0)
            if draw < 0:
                self._counts[name] += 1
                failure = self._failure(name if writes or name != "lost_answer" else "error")
                if stays and name != "slow":
                    self._staying[key] = (failure, _TRIES - 1)
                return failure
        return None

    def _failure(self, name: str) -> Failure:
        if name == "slow":
            return Failure(None, False, self._slow_ms, "status")
        if name == "lost_answer":
            return Failure(None, True, 0, "status")
        return Failure(429 if name == "rate_limit" else 503, False, 0, "status")

    def for_event(self) -> tuple[int, bool, bool]:
        """How many more copies of an event are sent, whether it comes late, and whether it never comes."""
        if self._seed is None:
            return 0, False, False
        draws = {name: self._events.random() < self._rates.get(name, 0.0) for name in EVENT_FAULTS}
        self._counts.update(name for name, happens in draws.items() if happens)
        return int(draws["duplicate"]), draws["reorder"], draws["drop"]

    def place(self, length: int) -> int:
        """Where a late event comes among `length` others."""
        return self._events.randint(0, length)
