"""What was asked, for tests and for the overview page. Pictures are kept as their length and hash only."""

import hashlib
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

#: Older calls are forgotten.
KEPT = 1_000


class Calls:
    """The latest calls, newest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._count = 0

    def add(self, *, method: str, model: str, task: str, status: int, request: Any, usage: Any) -> None:
        """Remember a call."""
        with self._lock:
            self._count += 1
            row = {
                "n": self._count,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": method,
                "model": model,
                "task": task,
                "status": status,
                "usage": usage,
                "request": _without_bytes(request),
            }
            self._rows.appendleft(row)

    def all(self) -> list[dict[str, Any]]:
        """Every call that is kept."""
        with self._lock:
            return list(self._rows)

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._rows.clear()


def _without_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("data"), str) and ("mimeType" in value or "mime_type" in value):
        digest = hashlib.sha256(value["data"].encode()).hexdigest()
        return {**value, "data": {"base64_length": len(value["data"]), "sha256_of_base64": digest}}
    return {key: _without_bytes(item) for key, item in value.items()}
