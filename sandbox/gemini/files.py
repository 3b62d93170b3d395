"""Uploaded files, in memory: started, sent, looked at, deleted."""

import hashlib
import secrets
import threading
from typing import Any


class Files:
    """What `client.files` of the SDK needs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: dict[str, dict[str, Any]] = {}
        self._files: dict[str, dict[str, Any]] = {}

    def start(self, body: dict[str, Any]) -> str:
        """Begin an upload; returns its token."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._started[token] = dict(body.get("file") or {})
        return token

    def finish(self, token: str, data: bytes, base_url: str) -> dict[str, Any] | None:
        """Take the bytes; returns the file, or None for an unknown token."""
        with self._lock:
            about = self._started.pop(token, None)
            if about is None:
                return None
            name = secrets.token_hex(8)
            made = {
                "name": f"files/{name}",
                "displayName": about.get("displayName") or about.get("display_name"),
                "mimeType": about.get("mimeType") or about.get("mime_type") or "application/octet-stream",
                "sizeBytes": str(len(data)),
                "sha256Hash": hashlib.sha256(data).hexdigest(),
                "uri": f"{base_url}/files/{name}",
                "state": "ACTIVE",
            }
            self._files[name] = {key: value for key, value in made.items() if value is not None}
            return self._files[name]

    def get(self, name: str) -> dict[str, Any] | None:
        """A file, or None."""
        with self._lock:
            return self._files.get(name)

    def delete(self, name: str) -> dict[str, Any] | None:
        """Remove a file; {} as the API answers, None when there is none."""
        with self._lock:
            return None if self._files.pop(name, None) is None else {}
