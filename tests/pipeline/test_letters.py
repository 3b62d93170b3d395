"""Mails that people send: the words of their own, and what the headers claim."""

import time
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from ai_pipeline.errors import Unreadable
from ai_pipeline.intake import read_letter as in_the_child
from ai_pipeline.letters.read import MAX_FILES, read_letter
from ai_pipeline.letters.report import Letter
from ai_pipeline.letters.strip import own_words

ANSWERS = {
    "our own line": "Yes.\n\nOn Sat, Nov 21, 2026 at 8:00 PM Touchstone <r@x> wrote:\n> ##--## Above ##--##\n> old",
    "gmail": "Yes.\n\nOn Sat, Nov 21, 2026 at 8:00 PM Touchstone <r@x.example> wrote:\n> old",
    "gmail, simplified": "Yes.\n\nTouchstone <r@x.example> 于2026年11月21日周六 20:00写道：\n> old",
    "gmail, traditional": "Yes.\n\nTouchstone <r@x.example> 於 2026年11月21日 週六 下午8:00寫道：\n\n> old",
    "outlook": "Yes.\n\n________________________________\nFrom: T <r@x>\nSent: Saturday\nTo: a\nSubject: Re\n\nold",
    "outlook, chinese": "Yes.\n\n发件人: Touchstone <r@x>\n发送时间: 2026年11月21日 20:00\n收件人: a\n主题: Re\n\nold",
    "qq": 'Yes.\n\n------------------ 原始邮件 ------------------\n发件人: "T" <r@x>;\n发送时间: 2026年\n\nold',
    "apple, chinese": "Yes.\n\n> 在 2026年11月21日，20:00，Touchstone <r@x> 写道：\n> \n> old",
    "a signature": "Yes.\n\nBest regards,\nChen Li\nMaison Li\n+33 1 22 33 44",
    "dashes": "Yes.\n-- \nChen Li\nMaison Li",
    "a telephone": "Yes.\n\nSent from my iPhone",
    "a chinese telephone": "Yes.\n\n发自我的iPhone",
    "a chinese signature": "Yes.\n\n此致\n敬礼\n陈丽",
    "below the quotation": "> old\n> older\n\nYes.",
}
KEPT = {
    "a list": "Points:\n- 50 pieces\n- two weeks",
    "thanks in the middle": "Hello\nThanks,\nplease send 50.",
    "a long text after regards": "Best regards to Maya.\n" + "We would take 60 pieces, if the price stays. " * 4,
    "the word from": "The wax is from: Valenza.\nSubject to your approval.",
    "figures": "-5 % on the fee, 6.8 g, 18k金",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_only_the_answer_is_left(name: str) -> None:
    assert own_words(ANSWERS[name].replace("\n", "\r\n")) == "Yes."


@pytest.mark.parametrize("name", KEPT)
def test_nothing_meant_is_dropped(name: str) -> None:
    assert own_words(KEPT[name]) == KEPT[name].strip()


def test_hostile_texts_take_bounded_time() -> None:
    started = time.process_time()
    for text in (
        "\n" * 400_000,
        "On " * 2_600,
        "Best regards\n" * 30_000,
        ">" * 400_000,
        "在 2026年 " * 900,
        "a\n" * 200_000,
    ):
        own_words(text)
    assert time.process_time() - started < 20


def letter(tmp_path: Path, content: bytes) -> Letter:
    (tmp_path / "mail").write_bytes(content)
    return read_letter(str(tmp_path / "mail"), str(tmp_path))


def test_the_headers_are_told_as_claims(tmp_path: Path) -> None:
    made = EmailMessage(policy=SMTP)
    made["From"], made["Message-ID"] = "Maya Rossi <Maya@Studio.example>", "<1@studio.example>"
    made["X-Mailgun-Spf"], made["DKIM-Signature"] = "Pass", "v=1; a=rsa-sha256; d=Studio.example; s=x; b=abc"
    made.set_content("Hello.")
    made.add_alternative("<p>Other words.</p><img src='cid:logo'>", subtype="html")
    made.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="sketch.gif")
    made.add_attachment(
        b"GIF89a", maintype="image", subtype="gif", cid="<logo>", disposition="inline", filename="a.gif"
    )
    found = letter(tmp_path, made.as_bytes())
    assert (found.senders, found.message_id) == (["maya@studio.example"], "<1@studio.example>")
    assert (found.spf, found.dkim, found.signed_by) == ("pass", "", ["studio.example"])
    assert (found.text, found.automatic) == ("Hello.", "")
    (sketch,) = found.files
    assert (sketch.name, sketch.content_type, sketch.size) == ("sketch.gif", "image/gif", 6)
    assert (tmp_path / sketch.file).read_bytes() == b"GIF89a"


def test_a_picture_is_a_file_unless_the_page_shows_it(tmp_path: Path) -> None:
    """Gmail gives a Content-ID to what is attached, Apple Mail calls photos inline."""
    made = EmailMessage(policy=SMTP)
    made.set_content("Two photos.")
    made.add_alternative("<p>Two photos.</p><img src='CID:sign%40mail'>", subtype="html")
    for cid, how in (("<f_1>", "attachment"), (None, "inline"), ("<sign@mail>", "inline")):
        made.add_attachment(
            b"GIF89a", maintype="image", subtype="gif", cid=cid, disposition=how, filename=f"{cid}-{how}.gif"
        )
    assert [item.name for item in letter(tmp_path, made.as_bytes()).files] == [
        "<f_1>-attachment.gif",
        "None-inline.gif",
    ]


def test_a_photo_among_the_own_words_is_sent_along_and_those_of_signature_and_quotation_are_not(tmp_path: Path) -> None:
    made = EmailMessage(policy=SMTP)
    made.set_content("See the wax:")
    made.add_alternative(
        "<p>See the wax:</p><img src='cid:wax@phone'><img src='cid:smile'><p>Best regards,</p><p>Maya</p>"
        "<img src='cid:logo'><blockquote>Before <img src='cid:old'></blockquote>\ue0009999\ue001",
        subtype="html",
    )
    for cid, size in (("wax@phone", 9_000), ("smile", 900), ("logo", 9_000), ("old", 9_000)):
        data = b"GIF89a" + b"x" * size
        made.add_attachment(data, maintype="image", subtype="gif", cid=f"<{cid}>", disposition="inline", filename=cid)
    found = letter(tmp_path, made.as_bytes())
    assert [item.name for item in found.files] == ["wax@phone"]
    assert found.text == "See the wax:"


def test_files_are_named_as_written_and_no_more_are_taken_than_a_message_takes_along(tmp_path: Path) -> None:
    made = EmailMessage(policy=SMTP)
    made.set_content("Twelve files.")
    for number in range(MAX_FILES + 2):
        made.add_attachment(b"x" * number, maintype="application", subtype="pdf", filename=f"../草图 {number}.pdf")
    old = made.as_bytes() + b""
    found = letter(tmp_path, old).files
    assert [item.size for item in found] == list(range(MAX_FILES + 2))
    assert [item.file for item in found] == [*map(str, range(MAX_FILES)), "", ""]
    assert found[3].name == "../草图 3.pdf"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*map(str, range(MAX_FILES)), "mail"])
    encoded = b'MIME-Version: 1.0\r\nContent-Type: application/pdf; name="=?utf-8?B?6I2J5Zu+LnBkZg==?="\r\n\r\nx'
    assert [item.name for item in letter(tmp_path, encoded).files] == ["草图.pdf"]


def test_a_page_is_read_as_a_person_reads_it(tmp_path: Path) -> None:
    page = (
        "<html><head><style>p{}</style></head><body><div>We take <b>50</b>&nbsp;pieces.</div><div><br></div>"
        "<div>可以</div><script>bad()</script><div class='gmail_quote'>On Sat wrote<blockquote>old</blockquote></div>"
        "<div id='appendonsend'></div><p>From: Touchstone</p></body></html>"
    )
    content = b"From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()
    assert letter(tmp_path, content).text == "We take 50 pieces.\n\n可以"


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "gb2312", "big5", "utf-16", "klingon", "unknown-8bit", ""])
def test_every_character_set_gives_words(tmp_path: Path, charset: str) -> None:
    coded = {"gb2312": "gb18030", "klingon": "utf-8", "unknown-8bit": "gb18030", "": "utf-8"}.get(charset, charset)
    kind = f"; charset={charset}" if charset else ""
    content = f"From: a@b.example\r\nContent-Type: text/plain{kind}\r\n\r\n".encode() + "可以五十件".encode(coded)
    assert letter(tmp_path, content).text == "可以五十件"


def test_what_is_no_mail_has_no_sender(tmp_path: Path) -> None:
    for content in (
        b"",
        b"\x00" * 1000,
        b"\xff\xfe" * 999,
        b"From: <><>@,;\r\n\r\n",
        b"From: a@b\x00.example\r\n\r\nx",
    ):
        assert letter(tmp_path, content).senders == []
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000))
    with suppress(RecursionError):  # in the child it is a refusal
        assert letter(tmp_path, nested).text == ""


def test_the_child_reads_it_and_refuses_what_kills_it(tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"From: a@b.example\r\n\r\nGood morning.\r\n")
    found = in_the_child(tmp_path / "mail", out_dir=tmp_path)
    assert (found.text, found.senders) == ("Good morning.", ["a@b.example"])
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000))
    (tmp_path / "mail").write_bytes(nested)
    with suppress(Unreadable):  # said to the person who sent it
        assert in_the_child(tmp_path / "mail", out_dir=tmp_path).text == ""
