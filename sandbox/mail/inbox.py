"""The mails that arrived, in SQLite (in memory without a state directory), parsed once."""

import json
import re
import secrets
import sqlite3
import threading
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_URL = re.compile(r"https?://[^\s<>\"'()\[\]{}]+")
#: Oldest mails go when the inbox is fuller than this.
KEPT = 5_000


class Inbox:
    """Received mails, newest first."""

    def __init__(self, state: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            state / "mails.db" if state else ":memory:", check_same_thread=False, isolation_level=None
        )
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("create table if not exists mails (n integer primary key, id text unique, value text)")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Keep a message as the SMTP dialog delivered it."""
        mail = {"id": secrets.token_hex(8), "received_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        mail |= read_message(sender, recipients, content)
        with self._lock:
            self._db.execute("insert into mails (id, value) values (?, ?)", (mail["id"], json.dumps(mail)))
            self._db.execute("delete from mails where n <= (select max(n) from mails) - ?", (KEPT,))

    def all(self, to: str = "", subject: str = "", limit: int = 500) -> list[dict[str, Any]]:
        """Mails whose recipient and subject contain the given texts."""
        with self._lock:
            rows = self._db.execute("select value from mails order by n desc").fetchall()
        found = []
        for (value,) in rows:
            mail = json.loads(value)
            recipient = any(to.lower() in address.lower() for address in mail["recipients"])
            if recipient and subject.lower() in mail["subject"].lower():
                found.append(mail)
                if len(found) == limit:
                    break
        return found

    def one(self, mail_id: str) -> dict[str, Any] | None:
        """A mail by its id."""
        with self._lock:
            row = self._db.execute("select value from mails where id = ?", (mail_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def clear(self) -> None:
        """Remove every mail."""
        with self._lock:
            self._db.execute("delete from mails")


def read_message(sender: str, recipients: list[str], content: bytes) -> dict[str, Any]:
    """The parts of a message that people and tests look at."""
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    text, html = _body(message, "plain"), _body(message, "html")
    links = list(dict.fromkeys(_Links.of(html) + [u.rstrip(".,;:!?") for u in _URL.findall(text)]))
    return {
        "from": str(message["From"] or sender),
        "to": str(message["To"] or ", ".join(recipients)),
        "envelope_from": sender,
        "recipients": recipients,
        "subject": str(message["Subject"] or ""),
        "text": text,
        "html": html,
        "links": links,
        "headers": {name: str(value) for name, value in message.items()},
        "attachments": [
            {"filename": part.get_filename(), "content_type": part.get_content_type()}
            for part in message.iter_attachments()
        ],
    }


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # an unknown or wrong charset
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect where anchors lead."""
        target = dict(attrs).get("href") if tag == "a" else None
        if target and target.startswith(("http://", "https://")):
            self.found.append(target)

    @classmethod
    def of(cls, html: str) -> list[str]:
        """Targets of the anchors of a document, in order."""
        parser = cls()
        parser.feed(html)
        return parser.found
