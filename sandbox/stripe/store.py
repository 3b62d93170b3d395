"""Objects, idempotency keys and deliveries, in memory and (with a file) in SQLite so that a restart keeps
them.
"""

import copy
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sandbox.stripe.errors import missing

Json = dict[str, Any]


class Store:
    """Everything the stand-in knows. Hold `lock` around each call's reads and writes."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.execute("create table if not exists kept (kind text, id text, value text, primary key (kind, id))")
        self._kept: dict[str, dict[str, Any]] = {}
        self._by_kind: dict[str, dict[str, Json]] = {}
        for kind, key, value in self._db.execute("select kind, id, value from kept order by rowid"):
            self._kept.setdefault(kind, {})[key] = json.loads(value)
        for key, item in self.kept("object").items():
            self._by_kind.setdefault(item["object"], {})[key] = item

    def now(self) -> float:
        """The stand-in's own time: the machine's, moved ahead by what was ordered."""
        return time.time() + float(self.kept("setting").get("clock", 0))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def keep(self, kind: str, key: str, value: Any) -> None:
        """Remember a value that is not an API object."""
        self._kept.setdefault(kind, {})[key] = value
        self._db.execute(
            "insert into kept values (?, ?, ?) on conflict do update set value = excluded.value",
            (kind, key, json.dumps(value)),
        )

    def kept(self, kind: str) -> dict[str, Any]:
        """All values of a kind by key, oldest first."""
        return self._kept.setdefault(kind, {})

    def forget(self, kind: str) -> None:
        """Drop all values of a kind."""
        self._kept.pop(kind, None)
        self._db.execute("delete from kept where kind = ?", (kind,))

    def reset(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._by_kind.clear()
        self._db.execute("delete from kept")

    def new(self, prefix: str, kind: str, **fields: Any) -> Json:
        """Make and keep an API object. Names that start with `_` are ours and never leave."""
        made = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": int(self.now()),
            "livemode": False,
            **fields,
        }
        self.save(made)
        return made

    def save(self, item: Json) -> None:
        """Keep a change to an object."""
        self.keep("object", item["id"], item)
        self._by_kind.setdefault(item["object"], {})[item["id"]] = item

    def get(self, object_id: Any, kind: str) -> Json:
        """The object. Raises resource_missing."""
        found: Json | None = self.kept("object").get(str(object_id))
        if found is None or found["object"] != kind:
            raise missing(kind.replace("checkout.session", "checkout session"), object_id)
        return found

    def find(self, object_id: str) -> Json | None:
        """An object of any kind, or None."""
        return self.kept("object").get(object_id)

    def all(self, kind: str, match: Callable[[Json], bool] = lambda _: True) -> Iterator[Json]:
        """Objects of a kind, newest first."""
        for item in reversed(list(self._by_kind.get(kind, {}).values())):
            if match(item):
                yield item


def public(item: Any) -> Any:
    """A deep copy without our own fields."""
    if isinstance(item, dict):
        return {k: public(v) for k, v in item.items() if not k.startswith("_")}
    if isinstance(item, list):
        return [public(v) for v in item]
    return copy.copy(item)
