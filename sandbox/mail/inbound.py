"""Mail for the product: what the receiving service would do with it, which is Mailgun's route to a URL.

Each mail to the domain is posted as a form with the mail as it came, signed over time and token, and posted again with
growing pauses until it is taken (200) or turned away for good (406).
"""

import hashlib
import hmac
import queue
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

#: Pauses between attempts, in seconds; the service's own go from ten minutes to four hours.
PAUSES = (0.5, 2, 10, 60)
KEPT = 200


class Inbound:
    """Delivers mail for `domain` to `url`, signed with `key`; without a URL it only keeps what it would post."""

    def __init__(self, domain: str, url: str, key: str) -> None:
        self.domain, self._url, self._key = domain.lower(), url, key
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        if url:
            threading.Thread(target=self._run, name="inbound", daemon=True).start()

    def takes(self, address: str) -> bool:
        """Whether mail to this address is for the product."""
        return bool(self.domain) and parseaddr(address)[1].lower().endswith("@" + self.domain)

    def deliver(self, sender: str, recipient: str, content: bytes, *, vouched: bool) -> dict[str, Any]:
        """Post a mail; `vouched` says what the checks of the sender found. Returns the delivery."""
        word = b"Pass" if vouched else b"Fail"
        noted = b"X-Mailgun-Spf: " + word + b"\r\nX-Mailgun-Dkim-Check-Result: " + word + b"\r\n" + content
        stamp, token = str(int(time.time())), secrets.token_hex(25)
        signature = hmac.new(self._key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
        fields = {"recipient": recipient, "sender": sender, "timestamp": stamp, "token": token, "signature": signature}
        body = urllib.parse.urlencode({**fields, "body-mime": noted})
        made: dict[str, Any] = {"recipient": recipient, "sender": sender, "body": body, "answers": []}
        self.deliveries.append(made)
        if self._url:
            self._waiting.put(made)
        return made

    def close(self) -> None:
        """Stop delivering."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (made := self._waiting.get()) is not None:
            for pause in (*PAUSES, None):
                status = self._post(str(made["body"]))
                made["answers"].append(status)
                if status in {200, 406} or pause is None:
                    break
                time.sleep(pause)

    def _post(self, body: str) -> int:
        request = urllib.request.Request(self._url, body.encode("ascii"), method="POST")  # noqa: S310 - our own product
        request.add_header("Content-Type", "application/x-www-form-urlencoded")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - as above
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


def written_answer(mail: dict[str, Any], text: str, sender: str) -> bytes:
    """An answer to a received mail as a mail program writes it: the text, a line, and the mail quoted."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = mail["headers"].get("Reply-To", mail["from"])
    subject = str(mail["subject"])
    made["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    now = datetime.now(UTC)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{secrets.token_hex(12)}@sandbox.test>"
    if original := mail["headers"].get("Message-ID"):
        made["In-Reply-To"] = made["References"] = original
    quoted = "\n".join(f"> {line}" for line in str(mail["text"]).splitlines())
    made.set_content(
        f"{text}\n\nOn {now:%a, %b %d, %Y at %H:%M} {mail['from']} wrote:\n{quoted}\n", cte="quoted-printable"
    )
    return made.as_bytes()
