"""The SMTP side: takes everything except what it is asked to refuse."""

import asyncio
import re
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.frontdoor import FailurePlan
from sandbox.mail.inbound import Inbound
from sandbox.mail.inbox import Inbox

#: Local parts that play a mailbox which does not exist, is full, or is busy.
_REFUSED = {
    "bounce": "550 5.1.1 There is no such mailbox",
    "full": "552 5.2.2 The mailbox is full",
    "busy": "451 4.3.0 Please come back later",
}


class Handler:
    """What aiosmtpd calls; the method names are its own."""

    def __init__(self, inbox: Inbox, failures: FailurePlan, inbound: Inbound) -> None:
        self._inbox, self._failures, self._inbound = inbox, failures, inbound

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's own name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        """Refuse `bounce...@`, `full...@` and `busy...@`."""
        word = re.match(r"[a-z]*", address.lower())
        refusal = _REFUSED.get(word.group() if word else "")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (as above)
        """Keep the message, unless a failure is ordered."""
        failure = self._failures.take("/smtp")
        if failure is not None and failure.status is not None and not failure.lose_answer:
            return f"{failure.status} The sandbox was told to answer {failure.status}"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._inbox.add(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        for address in filter(self._inbound.takes, envelope.rcpt_tos):
            # Nobody vouches for what any program on this computer may hand in.
            self._inbound.deliver(envelope.mail_from or "", address, content, vouched=False)
        if failure is not None and failure.lose_answer and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 OK"


def start(inbox: Inbox, failures: FailurePlan, inbound: Inbound, port: int) -> Controller:
    """Listen on loopback; `stop()` ends it."""
    controller = Controller(
        Handler(inbox, failures, inbound),
        hostname="127.0.0.1",
        port=port,
        enable_SMTPUTF8=True,
        data_size_limit=20_000_000,
    )
    controller.start()
    return controller
