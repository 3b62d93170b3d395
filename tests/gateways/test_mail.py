"""The mail gateway against the mail stand-in, by real SMTP."""

import smtplib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from marketplace.gateways.mail import Mailer, MailRefused, MailUnavailable, Message


@pytest.fixture
def mailer(smtp_url: str) -> Mailer:
    return Mailer(smtp_url, "Touchstone <no-reply@touchstone.example>")


def mail(**changes: Any) -> Message:
    wanted: dict[str, Any] = {"to": "wei@example.com", "subject": "Hello", "text": "Hello\n"}
    return Message(**{**wanted, **changes})


def test_a_mail_arrives_whole_in_two_languages(mailer: Mailer, mail_box: Any) -> None:
    link = "http://localhost:8000/confirm?token=abc.def&next=1"
    mailer.send(
        mail(
            subject="请确认您的邮箱 – Touchstone",
            text=f"您好，请打开 {link} 。\n",
            html=f'<p>您好</p><a href="{link.replace("&", "&amp;")}">确认</a>',
            message_id="<ntf_1@touchstone.example>",
            headers={"List-Unsubscribe": "<http://localhost:8000/u>", "X-Notification": "ntf_1"},
        )
    )
    [found] = mail_box.get("/_sandbox/mails?to=wei@")["mails"]
    assert found["subject"] == "请确认您的邮箱 – Touchstone"
    assert found["to"] == "wei@example.com"
    assert found["from"] == "Touchstone <no-reply@touchstone.example>"
    assert found["text"].strip() == f"您好，请打开 {link} 。"
    assert "<p>您好</p>" in found["html"]
    assert found["links"] == [link]
    assert found["headers"]["Message-ID"] == "<ntf_1@touchstone.example>"
    assert found["headers"]["X-Notification"] == "ntf_1"
    assert found["headers"]["Auto-Submitted"] == "auto-generated"


def test_mails_are_found_by_recipient_and_subject(mailer: Mailer, mail_box: Any) -> None:
    mailer.send(mail(to="a@example.com", subject="One"))
    mailer.send(mail(to="b@example.com", subject="Two"))
    assert [m["subject"] for m in mail_box.get("/_sandbox/mails")["mails"]] == ["Two", "One"]
    assert [m["subject"] for m in mail_box.get("/_sandbox/mails?to=A@example.com")["mails"]] == ["One"]
    assert [m["to"] for m in mail_box.get("/_sandbox/mails?subject=two")["mails"]] == ["b@example.com"]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hi\r\nBcc: evil@example.com"},
        {"subject": "Hi\nX: y"},
        {"subject": "Hi\x00"},
        {"subject": "Hi\u2028X: y"},
        {"subject": "x" * 1000},
        {"to": "wei@example.com\r\nBcc: evil@example.com"},
        {"to": "wei@example.com, evil@example.com"},
        {"to": "<wei@example.com>"},
        {"to": "wei"},
        {"to": ""},
        {"to": "@example.com"},
        {"to": "a b@example.com"},
        {"to": "wei@exa mple.com"},
        {"message_id": "<a@b>\r\nX: y"},
        {"message_id": "abc"},
        {"headers": {"X-A\r\nBcc": "evil@example.com"}},
        {"headers": {"X-A": "1\nBcc: evil@example.com"}},
        {"headers": {"Bcc": "evil@example.com"}},
        {"headers": {"from": "evil@example.com"}},
    ],
)
def test_nothing_typed_can_add_a_header_or_a_recipient(mailer: Mailer, mail_box: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(MailRefused):
        mailer.send(mail(**changes))
    assert mail_box.get("/_sandbox/mails")["mails"] == []


def test_hostile_lines_are_sent_as_text_or_refused(mailer: Mailer, mail_box: Any, data_dir: Path) -> None:
    lines = [
        line
        for path in sorted((data_dir / "hostile/text").rglob("*.txt"))
        for line in path.read_text(errors="surrogateescape").splitlines()
    ][:3000:30]
    assert lines
    sent = 0
    for line in lines:
        try:
            mailer.send(mail(subject=line, text=line))
            sent += 1
        except MailRefused:
            continue
    found = mail_box.get("/_sandbox/mails?limit=5000")["mails"]
    assert len(found) == sent
    names = {"From", "To", "Subject", "Date", "Auto-Submitted", "Content-Type", "MIME-Version"}
    assert all(set(m["headers"]) <= {*names, "Content-Transfer-Encoding"} for m in found)
    assert all(m["recipients"] == ["wei@example.com"] for m in found)


def test_an_unknown_mailbox_is_refused_and_a_busy_one_is_to_be_tried_again(mailer: Mailer, mail_box: Any) -> None:
    with pytest.raises(MailRefused):
        mailer.send(mail(to="bounce+1@example.com"))
    with pytest.raises(MailUnavailable):
        mailer.send(mail(to="busy@example.com"))
    assert mail_box.get("/_sandbox/mails")["mails"] == []


@pytest.mark.parametrize(("status", "error"), [(451, MailUnavailable), (554, MailRefused)])
def test_an_ordered_answer_is_told_apart(mailer: Mailer, mail_box: Any, status: int, error: type[Exception]) -> None:
    mail_box.post("/_sandbox/fail", {"next": 1, "status": status})
    with pytest.raises(error):
        mailer.send(mail())
    mailer.send(mail())
    assert len(mail_box.get("/_sandbox/mails")["mails"]) == 1


def test_a_lost_answer_is_unavailable_and_the_second_mail_has_the_same_id(mailer: Mailer, mail_box: Any) -> None:
    mail_box.post("/_sandbox/fail", {"next": 1, "lose_answer": True})
    message = mail(message_id="<ntf_7@touchstone.example>")
    with pytest.raises(MailUnavailable):
        mailer.send(message)
    mailer.send(message)
    found = mail_box.get("/_sandbox/mails")["mails"]
    assert [m["headers"]["Message-ID"] for m in found] == ["<ntf_7@touchstone.example>"] * 2


def test_no_server_is_unavailable(free_port: int) -> None:
    mailer = Mailer(f"smtp://127.0.0.1:{free_port}", "a@example.com")
    with pytest.raises(MailUnavailable):
        mailer.send(mail())
    with pytest.raises(MailUnavailable):
        mailer.ping()


def test_a_password_is_never_sent_in_the_clear(smtp_url: str) -> None:
    mailer = Mailer(smtp_url.replace("smtp://", "smtp://user:secret@"), "a@example.com")
    with pytest.raises((MailUnavailable, MailRefused)):
        mailer.send(mail())


@pytest.mark.parametrize("url", ["", "http://localhost", "localhost:25", "smtp://"])
def test_a_wrong_address_of_the_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        Mailer(url, "a@example.com")


def test_the_inbox_page_runs_nothing_of_a_mail(mailer: Mailer, mail_box: Any) -> None:
    mailer.send(mail(subject="<script>alert(1)</script>", html="<script>alert(2)</script><b>hi</b>"))
    page = urllib.request.urlopen(mail_box.url + "/").read().decode()
    assert "<script>alert(1)" not in page
    [found] = mail_box.get("/_sandbox/mails")["mails"]
    shown = urllib.request.urlopen(f"{mail_box.url}/mails/{found['id']}").read().decode()
    assert "alert(2)" not in shown.replace("&lt;script&gt;alert(2)", "")
    with urllib.request.urlopen(f"{mail_box.url}/mails/{found['id']}/page") as answer:
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "allow-scripts" not in answer.headers["Content-Security-Policy"]


def test_mails_survive_a_restart(sandbox_runner: Any, tmp_path: Path, free_port: int) -> None:
    options = ("--smtp-port", str(free_port), "--state", str(tmp_path))
    with sandbox_runner("mail", *options):
        Mailer(f"smtp://127.0.0.1:{free_port}", "a@example.com").send(mail())
    with sandbox_runner("mail", *options) as box:
        assert [m["subject"] for m in box.get("/_sandbox/mails")["mails"]] == ["Hello"]


def test_the_stand_in_reads_a_message_with_a_wrong_charset(smtp_url: str, mail_box: Any) -> None:
    raw = b"Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe see http://localhost/a.\r\n"
    host, port = smtp_url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port)) as server:
        server.sendmail("a@example.com", ["b@example.com"], raw)
    assert mail_box.get("/_sandbox/mails")["mails"][0]["links"] == ["http://localhost/a"]
