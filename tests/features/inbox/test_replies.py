"""Answers by mail: what is posted, what is refused and to whom that is said, what is passed over in silence.

NEG-09 (1 MB, not UTF-8) and NEG-11 (links of others) as far as mail goes.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership
from marketplace.audit.models import AuditEvent
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset
from marketplace.inbox.models import InboundMail, ReplyAddress
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.messaging.models import Message
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.test_negotiations import change
from tests.kit.files import photo
from tests.kit.instance import Instance
from tests.kit.people import Make, Person

Jobs = Callable[..., dict[str, str]]
Mails = Callable[..., list[dict[str, Any]]]


@dataclass
class Post:
    """The way of a mail into the product."""

    pair: Pair
    app: Flask
    instance: Instance
    run_jobs: Jobs
    mails: Mails
    key: str

    def asked(self, person: Person | None = None) -> dict[str, Any]:
        """The last mail that the designer (or another person) can answer."""
        found = [m for m in self.mails((person or self.pair.designer).user.email) if "Reply-To" in m["headers"]]
        return found[-1]

    def answer(self, text: str, **wish: Any) -> int:
        """Answer it as the sandbox's page does; returns what the webhook said."""
        url = f"{self.instance.mail_url}/_sandbox/mails/{self.asked()['id']}/reply"
        made = requests.post(url, json={"text": text, **wish}, timeout=60).json()
        status = self.deliver(made["body"])
        self.run_jobs()
        return status

    def deliver(self, body: str | bytes, kind: str = "application/x-www-form-urlencoded") -> int:
        """Post a form to the webhook."""
        return self.app.test_client().post("/webhooks/mail/mime", data=body, content_type=kind).status_code

    def mail(self, content: bytes, *, to: str = "", sender: str = "", token: str = "", vouched: bool = True) -> int:
        """Deliver raw bytes, signed as the service signs."""
        stamp, token = str(int(clock.now().timestamp())), token or secrets.token_hex(25)
        mark = hmac.new(self.instance.settings.inbound_mail_key.encode(), (stamp + token).encode(), hashlib.sha256)
        noted = (b"X-Mailgun-Spf: Pass\r\n" if vouched else b"X-Mailgun-Spf: Fail\r\n") + content
        form = {
            "recipient": to or self.asked()["headers"]["Reply-To"],
            "sender": sender or self.pair.designer.user.email,
            "timestamp": stamp,
            "token": token,
            "signature": mark.hexdigest(),
            "body-mime": noted,
        }
        status = self.deliver(urlencode(form))
        self.run_jobs()
        return status

    def written(self, text: str = "Fine.", **headers: str) -> bytes:
        """A mail of the designer."""
        made = EmailMessage(policy=SMTP)
        made["From"], made["Message-ID"] = self.pair.designer.user.email, f"<{secrets.token_hex(8)}@mail.example>"
        for name, value in headers.items():
            del made[name.replace("_", "-")]
            made[name.replace("_", "-")] = value
        made.set_content(text)
        return made.as_bytes()

    def said(self) -> list[str]:
        """What stands in the thread, oldest first."""
        found = self.pair.buyer.api.get(f"/negotiations/{self.key}/messages").get_json()["items"]
        return [item["text"] for item in found]

    def refusals(self, person: Person | None = None) -> list[str]:
        """Texts of the mails that say that an answer was not posted."""
        to = (person or self.pair.designer).user.email
        return [m["text"] for m in self.mails(to) if "not posted" in m["subject"] or "were not taken" in m["subject"]]


@pytest.fixture
def post(pair: Pair, app: Flask, instance: Instance, run_jobs: Jobs, mails: Mails) -> Post:
    """The buyer has opened a negotiation and the designer has had mail about it."""
    key = pair.open()["id"]
    run_jobs()
    return Post(pair, app, instance, run_jobs, mails, key)


def test_a_network_that_forges_deliveries_is_turned_away_before_its_next_body_is_read(post: Post) -> None:
    client, forged = post.app.test_client(), {"timestamp": "1", "token": "x", "signature": "y"}

    def send(ip: str) -> int:
        return client.post("/webhooks/mail/mime", data=forged, environ_overrides={"REMOTE_ADDR": ip}).status_code

    assert [send("203.0.113.7") for _ in range(22)] == [400] * 20 + [429] * 2
    assert send("203.0.113.8") == 400
    assert post.answer("From the service itself.") == 200


def test_an_answer_by_mail_stands_in_the_thread_without_what_it_quotes(post: Post) -> None:
    asked = post.asked()
    assert "##--##" in asked["text"]
    assert post.answer("We can do 50 pieces.\n\nWith two weeks for the wax.") == 200
    assert post.said() == ["We can do 50 pieces.\n\nWith two weeks for the wax."]
    told = post.pair.buyer.api.get(f"/negotiations/{post.key}/messages").get_json()["items"]
    assert [item["by_mail"] for item in told] == [True]
    own = post.pair.designer.browser.get(f"/negotiations/{post.key}").get_data(as_text=True)
    assert "by mail" in own
    assert post.refusals() == []


def test_the_mail_of_a_message_carries_its_words_and_no_links(post: Post) -> None:
    words = "请看 https://evil.example/login 谢谢"
    post.pair.buyer.api.post(f"/negotiations/{post.key}/messages", {"text": words})
    post.run_jobs()
    text = post.asked()["text"]
    assert "evil.example" not in text
    assert "[…]" in text
    assert post.pair.buyer.org.name not in str(post.mails(post.pair.designer.user.email))
    assert post.pair.buyer.user.name not in str(post.mails(post.pair.designer.user.email))


def test_a_forged_sender_posts_nothing_and_only_the_person_hears_of_it_once(post: Post, session: Session) -> None:
    stranger = "mallory@evil.example"
    assert post.answer("I accept everything.", **{"from": stranger}) == 200
    assert post.answer("I accept everything again.", vouched=False) == 200
    assert post.mail(post.written("Two senders", From=f"{post.pair.designer.user.email}, {stranger}")) == 200
    assert post.said() == []
    assert len(post.refusals()) == 1
    assert post.mails(stranger) == []
    reasons = session.scalars(select(InboundMail.reason)).all()
    assert reasons == ["sender"] * 3
    assert session.scalars(select(InboundMail.raw).where(InboundMail.raw.is_not(None))).all() == []
    events = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("mail.%"))).all()
    assert events == ["mail.refused"] * 3


def test_a_verdict_that_stands_there_twice_is_no_verdict(post: Post) -> None:
    forged = b"X-Mailgun-Spf: Pass\r\nX-Mailgun-Dkim-Check-Result: Pass\r\n" + post.written("Trust me")
    assert post.mail(forged, vouched=False) == 200
    assert post.said() == []


def test_a_signature_of_another_domain_vouches_for_nobody(post: Post) -> None:
    evil = b"X-Mailgun-Dkim-Check-Result: Pass\r\nDKIM-Signature: v=1; d=evil.example; s=a; b=x\r\n" + post.written()
    assert post.mail(evil, sender="bounce@evil.example") == 200
    assert post.said() == []
    domain = post.pair.designer.user.email.rpartition("@")[2]
    own = evil.replace(b"d=evil.example", f"d={domain}".encode())
    assert post.mail(own, sender="bounce@evil.example") == 200
    assert post.said() == ["Fine."]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("expired", "no longer valid"),
        ("member", "do not take part"),
        ("closed", "has ended"),
    ],
)
def test_what_cannot_be_posted_any_more_is_answered_politely(
    post: Post, services: Services, change: str, why: str
) -> None:
    with unit_of_work(services.engine, system("test")) as session:
        if change == "expired":
            session.scalars(select(ReplyAddress)).one().expires_at = clock.now() - timedelta(seconds=1)
        elif change == "member":
            session.execute(delete(Membership).where(Membership.user_id == post.pair.designer.user.id))
    if change == "closed":
        post.pair.buyer.api.post(f"/negotiations/{post.key}/withdraw", {"version": 1})
    assert post.answer("Too late?") == 200
    refused = post.refusals()
    assert len(refused) == 1
    assert why in refused[0]
    assert post.pair.buyer.org.name not in refused[0]
    with unit_of_work(services.engine, system("test")) as session:
        assert session.scalars(select(Message)).all() == []


def test_an_address_is_one_persons_in_one_thread(post: Post, make: Make, services: Services) -> None:
    other = make.person("designer")
    own = post.asked()["headers"]["Reply-To"]
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Message-ID"] = other.user.email, "<x@mail.example>"
    mail.set_content("Let me in.")
    assert post.mail(mail.as_bytes(), to=own, sender=other.user.email) == 200
    local, _at, domain = own.partition("@")
    key, _dot, seal = local.partition(".")
    turned = seal[:-1] + ("a" if seal[-1] != "a" else "b")
    for address in (
        f"{key}.{turned}@{domain}",
        f"{key}@{domain}",
        f"rpl_{'0' * 25}.{seal}@{domain}",
        f"{local}@evil.example",
    ):
        assert post.mail(post.written(), to=address) == 406
    assert post.said() == []
    assert post.mail(post.written("Capitals do not matter."), to=own.upper()) == 200
    assert post.said() == ["Capitals do not matter."]


def test_machines_and_loops_get_no_answer(post: Post) -> None:
    for headers in ({"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List-Id": "<a.b>"}):
        made = EmailMessage(policy=SMTP)
        made["From"], made["Message-ID"] = post.pair.designer.user.email, f"<{secrets.token_hex(8)}@mail.example>"
        for name, value in headers.items():
            made[name] = value
        made.set_content("I am away until Monday.")
        assert post.mail(made.as_bytes()) == 200
    assert post.mail(post.written("bounce"), sender="mailer-daemon@mail.example") == 200
    assert (post.said(), post.refusals()) == ([], [])


def test_the_same_mail_is_posted_once_however_often_it_comes(post: Post) -> None:
    mail = post.written("Once.", Message_ID="<one@mail.example>")
    assert [post.mail(mail, token="t" * 50), post.mail(mail, token="t" * 50), post.mail(mail)] == [200, 200, 200]
    assert post.said() == ["Once."]
    assert post.refusals() == []


def test_long_strange_and_empty_mails_are_refused_or_read_never_an_error(post: Post) -> None:
    assert post.mail(post.written("x" * 1_000_000)) == 200
    assert post.mail(post.written("  \n")) == 200
    head = f"From: {post.pair.designer.user.email}\r\nMessage-ID: <{{}}>\r\nContent-Type: text/plain{{}}\r\n\r\n"
    assert post.mail(head.format("g", "; charset=gb2312").encode() + "可以，50 件。".encode("gb18030")) == 200
    assert post.mail(head.format("h", "; charset=klingon").encode() + "好的。".encode()) == 200
    page = "<p>Gern, <b>50</b> St&uuml;ck.</p><blockquote>old</blockquote><script>alert(1)</script>"
    assert post.mail(head.format("i", "").replace("plain", "html").encode() + page.encode()) == 200
    assert post.mail(b"\xff\xfe\x00 no mail at all") == 200
    assert post.said() == ["可以，50 件。", "好的。", "Gern, 50 Stück."]
    told = "".join(post.refusals())
    assert "4,000 characters" in told
    assert "no text of your own" in told


def with_files(post: Post, text: str, *files: tuple[str, bytes]) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"], made["Message-ID"] = post.pair.designer.user.email, f"<{secrets.token_hex(8)}@mail.example>"
    made.set_content(text)
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


def files_of(post: Post) -> list[list[str]]:
    found = post.pair.buyer.api.get(f"/negotiations/{post.key}/messages").get_json()["items"]
    return [[file["name"] for file in item["files"]] for item in found]


def test_files_follow_the_words_through_the_check_of_uploads_and_refused_ones_are_named(
    post: Post, session: Session
) -> None:
    picture = photo((90, 90, 160), width=400).data
    large = ("large.pdf", b"%PDF-1.7" + secrets.token_bytes(3_000_000))
    sent = with_files(post, "Two sketches.", ("草图.jpg", picture), large, ("tool.exe", b"MZ"))
    assert post.mail(sent) == 200
    assert (post.said(), files_of(post)) == (["Two sketches.", ""], [[], ["草图.jpg"]])
    shown = post.pair.buyer.api.get(f"/negotiations/{post.key}/messages").get_json()["items"][1]["files"][0]
    fetched = post.pair.buyer.api.get(f"/negotiations/{post.key}/files/{shown['asset']}").get_json()["url"]
    assert requests.get(fetched, timeout=60).content not in {b"", picture}, "what the jail made, never the bytes sent"
    (told,) = post.refusals()
    assert "large.pdf: " in told
    assert "tool.exe: tool.exe cannot be used here." in told
    assert "草图.jpg" not in told
    row = session.scalars(select(InboundMail)).one()
    assert (row.state, row.raw, row.files) == ("posted", None, None)


def test_a_mail_of_files_alone_says_them_and_ten_are_the_most(post: Post) -> None:
    picture = photo((90, 90, 160), width=400).data
    assert post.mail(with_files(post, " ", *((f"{number}.jpg", picture) for number in range(11)))) == 200
    assert post.said() == [""]
    assert files_of(post) == [[f"{number}.jpg" for number in range(10)]]
    (told,) = post.refusals()
    assert "10.jpg: A message takes at most 10 files along." in told


def test_where_nothing_can_be_added_any_more_no_file_comes_in(post: Post, session: Session) -> None:
    post.pair.buyer.api.post(f"/negotiations/{post.key}/withdraw", {"version": 1})
    assert post.mail(with_files(post, " ", ("a.jpg", photo((90, 90, 160), width=400).data))) == 200
    assert post.said() == []
    assert session.scalars(select(Asset)).all() == []
    assert "has ended" in post.refusals()[0]


def test_a_forged_or_stale_delivery_changes_nothing(post: Post, session: Session) -> None:
    for spoil in ("signature", "timestamp", "token", "old", "future", "empty", "not a form", "no key"):
        at = clock.now() + {"old": timedelta(hours=-13), "future": timedelta(hours=1)}.get(spoil, timedelta())
        stamp, token = str(int(at.timestamp())), secrets.token_hex(25)
        key = "other" if spoil == "no key" else post.instance.settings.inbound_mail_key
        mark = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
        form = {"recipient": post.asked()["headers"]["Reply-To"], "sender": "a@b.example", "timestamp": stamp}
        form |= {"token": token, "signature": mark, "body-mime": post.written().decode()}
        if spoil in form:
            form[spoil] = form[spoil][:-1] + ("0" if form[spoil][-1] != "0" else "1")
        body: str | bytes = urlencode(form)
        if spoil == "empty":
            body = ""
        elif spoil == "not a form":
            body = b"\xff\x00{}" + secrets.token_bytes(100)
        assert post.deliver(body) == 400, spoil
    assert session.scalars(select(InboundMail)).all() == []


def test_a_delivery_in_parts_is_taken_too(post: Post) -> None:
    stamp, token = str(int(clock.now().timestamp())), secrets.token_hex(25)
    mark = hmac.new(post.instance.settings.inbound_mail_key.encode(), (stamp + token).encode(), hashlib.sha256)
    noted = b"X-Mailgun-Spf: Pass\r\n" + post.written("In parts.")
    parts = {"recipient": post.asked()["headers"]["Reply-To"], "sender": post.pair.designer.user.email}
    parts |= {"timestamp": stamp, "token": token, "signature": mark.hexdigest()}
    body = b"".join(
        b'--line\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value.encode())
        for name, value in parts.items()
    )
    body += b'--line\r\nContent-Disposition: form-data; name="body-mime"\r\n\r\n' + noted + b"\r\n--line--\r\n"
    assert post.deliver(body, "multipart/form-data; boundary=line") == 200
    post.run_jobs()
    assert post.said() == ["In parts."]


def test_a_file_that_came_by_mail_stands_in_nobodys_composer(post: Post, services: Services, session: Session) -> None:
    sketch = {"filename": "sketch.pdf", "content_type": "application/pdf", "size": 9, "sha256": "ab" * 32}
    path = f"/negotiations/{post.key}"
    made = post.pair.designer.api.post(f"{path}/files", sketch).get_json()["asset"]
    change(services, Asset, made, state="uploaded")
    assert "sketch.pdf" in post.pair.designer.browser.get(path).get_data(as_text=True)
    change(services, Asset, made, by_mail=True)
    assert "sketch.pdf" not in post.pair.designer.browser.get(path).get_data(as_text=True)
    assert post.mail(with_files(post, "A photo.", ("a.jpg", photo((90, 90, 160), width=400).data))) == 200
    assert session.scalars(select(Asset.by_mail).where(Asset.filename == "a.jpg")).all() == [True]
