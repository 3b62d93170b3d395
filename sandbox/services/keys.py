"""Random secrets of one local instance, kept in a file that only its owner can read."""

import json
import os
import secrets
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Replace a file by one of mode 0600, atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


class Keys:
    """Named secrets, made on first use and the same ever after."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def get(self, name: str) -> str:
        """The secret of that name: 43 URL-safe characters (256 bits)."""
        if name not in self._known:
            self._known[name] = secrets.token_urlsafe(32)
            write_private(self._file, json.dumps(self._known, indent=1, sort_keys=True) + "\n")
        return self._known[name]
