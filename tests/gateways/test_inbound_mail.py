"""The sandbox's receiving service and our gateway speak the same: signed, again until it is taken, never twice."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from marketplace.gateways.inbound_mail import MAX_BODY, BadDelivery, Delivery, read_delivery
from sandbox.mail.inbound import Inbound

KEY = "key-of-the-service"


@pytest.fixture
def received() -> Iterator[tuple[str, list[Delivery], list[int]]]:
    """An address, what arrives there, and the statuses it still answers before 200."""
    found: list[Delivery] = []
    answers = [503]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.append(read_delivery(body, self.headers["Content-Type"], KEY))
            self.send_response(answers.pop() if answers else 200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/webhooks/mail/mime", found, answers
    server.shutdown()
    server.server_close()


def test_a_mail_is_delivered_as_it_came_and_again_until_it_is_taken(
    received: tuple[str, list[Delivery], list[int]],
) -> None:
    url, found, _answers = received
    inbound = Inbound("reply.test", url, KEY)
    assert inbound.takes("Somebody <X@Reply.Test>")
    assert not inbound.takes("x@reply.test.example")
    raw = b"From: a@b.example\r\n\r\n\xff\xfe\x80 & = + %"
    made = inbound.deliver("a@b.example", "x@reply.test", raw, vouched=True)
    end = time.monotonic() + 60
    while made["answers"] != [503, 200] and time.monotonic() < end:
        time.sleep(0.02)
    inbound.close()
    assert made["answers"] == [503, 200]
    assert [delivery.raw for delivery in found] == [
        b"X-Mailgun-Spf: Pass\r\nX-Mailgun-Dkim-Check-Result: Pass\r\n" + raw
    ] * 2
    assert len({delivery.token for delivery in found}) == 1
    assert (found[0].sender, found[0].recipients) == ("a@b.example", ("x@reply.test",))


def test_another_key_opens_nothing_and_no_key_takes_nothing() -> None:
    made = Inbound("reply.test", "", KEY).deliver("a@b.example", "x@reply.test", b"x", vouched=False)
    body, kind = made["body"].encode(), "application/x-www-form-urlencoded"
    assert read_delivery(body, kind, KEY).recipients == ("x@reply.test",)
    for key in ("", "another key"):
        with pytest.raises(BadDelivery):
            read_delivery(body, kind, key)
    with pytest.raises(BadDelivery):
        read_delivery(b"a=1&" * 200 + body, kind, KEY)
    with pytest.raises(BadDelivery):
        read_delivery(body + b"x" * MAX_BODY, kind, KEY)
