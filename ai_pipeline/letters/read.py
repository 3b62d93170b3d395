"""From the bytes of a mail to a Letter."""

import re
from collections.abc import Set
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import unquote

from ai_pipeline.letters.markup import plain_text
from ai_pipeline.letters.report import Letter, LetterFile
from ai_pipeline.letters.strip import own_words

#: Characters of a body that are looked at; an answer is far shorter, what it quotes may be longer.
_BODY = 400_000
#: Files that are taken out of a mail, and the bytes of one: as many as a message of a thread takes along.
MAX_FILES, MAX_FILE_BYTES = 10, 25 * 10**6
#: Files that are told of at all, and characters of a name.
_MOST_TOLD, _NAME = 50, 300
#: Bytes from which on a picture that the page shows among the person's own words is sent along; smaller ones are logos
#: and smileys. A number of ours: a photo of a phone is hundreds of kilobytes, a logo rarely more than a few.
LEAST_PICTURE = 8_192
#: What stands for a picture while the person's own words are looked for.
_MARKED = re.compile("\ue000(\\d{1,4})\ue001")
#: Characters of an answer; beyond it is refused, never cut off.
MAX_ANSWER = 4_000
_DOMAIN = re.compile(r"\bd=\s*([A-Za-z0-9.-]{1,253})")
_CID = re.compile(r"""cid:([^"'\s<>)]{1,998})""", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s\x00-\x1f@<>,;]{1,64}@[^\s\x00-\x1f@<>,;]{1,255}")


def read_letter(path: str, out_dir: str) -> Letter:
    """What the mail in the file `path` says. Attachments are written into `out_dir` as they are, never opened."""
    message = BytesParser(policy=policy.compat32).parsebytes(Path(path).read_bytes())
    text = own_words(_body(message)[:_BODY])
    return Letter(
        senders=_senders(message),
        message_id=_one(message, "Message-ID").strip()[:998],
        spf=_verdict(message, "X-Mailgun-Spf"),
        dkim=_verdict(message, "X-Mailgun-Dkim-Check-Result"),
        signed_by=[found[1].lower() for value in _all(message, "DKIM-Signature") if (found := _DOMAIN.search(value))],
        automatic=_automatic(message),
        text=text[: MAX_ANSWER + 1],
        too_long=len(text) > MAX_ANSWER,
        files=_files(message, Path(out_dir)),
    )


def _files(message: Message, out_dir: Path) -> list[LetterFile]:
    found: list[LetterFile] = []
    shown = _decoration(message)
    for part in message.walk():
        if not _attached(part, shown) or len(found) >= _MOST_TOLD:
            continue
        data = _bytes(part)
        kept = len(found) < MAX_FILES and len(data) <= MAX_FILE_BYTES
        place = str(len(found)) if kept else ""
        if kept:
            (out_dir / place).write_bytes(data)
        found.append(
            LetterFile(name=_name(part), content_type=part.get_content_type()[:200], size=len(data), file=place)
        )
    return found


def _name(part: Message) -> str:
    """The file's name as its sender wrote it (RFC 2231, or RFC 2047 as many programs do); "" when it has none."""
    written = str(part.get_filename() or "")
    try:
        return str(make_header(decode_header(written)))[:_NAME]
    except (LookupError, ValueError, HeaderParseError):
        return written[:_NAME]


def _all(message: Message, name: str) -> list[str]:
    return [str(value) for value in message.get_all(name, [])]


def _one(message: Message, name: str) -> str:
    """The header when it stands there exactly once: a second one may be the sender's own."""
    found = _all(message, name)
    return found[0] if len(found) == 1 else ""


def _senders(message: Message) -> list[str]:
    found = getaddresses([" ".join(value.split()) for value in _all(message, "From")])
    return [address.lower() for _name, address in found if _ADDRESS.fullmatch(address)][:10]


def _verdict(message: Message, name: str) -> str:
    word = _one(message, name).strip().lower()
    return word if word in {"pass", "fail", "neutral", "softfail", "none"} else ""


def _automatic(message: Message) -> str:
    """Why no person wrote this (RFC 3834 section 5, and the older habits it names), or nothing."""
    if _one(message, "Auto-Submitted").partition(";")[0].strip().lower() not in {"", "no"}:
        return "Auto-Submitted"
    if any(value.strip().lower() in {"bulk", "junk", "list", "auto_reply"} for value in _all(message, "Precedence")):
        return "Precedence"
    for name in (
        "List-Id",
        "List-Unsubscribe",
        "X-Autoreply",
        "X-Autorespond",
        "X-Auto-Response-Suppress",
        "Feedback-ID",
    ):
        # Outlook writes X-Auto-Response-Suppress into what people send, too; only its "All" is a machine's.
        if name in message and (name != "X-Auto-Response-Suppress" or "all" in _one(message, name).lower()):
            return name
    if message.get_content_type() == "multipart/report":
        return "multipart/report"
    return ""


def _attached(part: Message, shown: Set[str]) -> bool:
    """A file that was sent along; not a picture that only decorates the page of the mail (`shown`), as logos do.

    What a part says of itself does not tell: mail programs give a Content-ID to what is attached too, and call photos
    inline that no page refers to.
    """
    if part.is_multipart():
        return False
    if part.get_content_maintype() == "image" and _cid(part) in shown:
        return False
    named = part.get_content_disposition() == "attachment" or bool(part.get_filename())
    return named or part.get_content_maintype() != "text"


def _shown(message: Message) -> Set[str]:
    """The Content-IDs that the mail's page refers to (RFC 2392)."""
    pages = (_decoded(part) for part in message.walk() if part.get_content_type() == "text/html")
    return {unquote(found) for page in pages for found in _CID.findall(page)}


def _decoration(message: Message) -> Set[str]:
    """The pictures that the mail's page shows and that nobody means to send: small ones, and those of signatures and of
    the mail that is answered.
    """
    shown = _shown(message)
    large = {_cid(part) for part in message.walk() if _cid(part) in shown and len(_bytes(part)) >= LEAST_PICTURE}
    return shown - (large & _among_own_words(message)) if large else shown


def _among_own_words(message: Message) -> set[str]:
    """The Content-IDs of pictures that stand in what the person wrote in the mail's page."""
    found: list[str] = []

    def mark(source: str) -> str:
        scheme, _colon, cid = source.strip().partition(":")
        if scheme.lower() != "cid":
            return ""
        found.append(unquote(cid))
        return f"\n\ue000{len(found) - 1}\ue001\n"

    pages = [_decoded(part) for part in message.walk() if part.get_content_type() == "text/html"]
    words = own_words("\n".join(plain_text(page, mark) for page in pages)[:_BODY])
    return {found[number] for number in map(int, _MARKED.findall(words)) if number < len(found)}


def _cid(part: Message) -> str:
    return str(part["Content-ID"] or "").strip(" <>\t")


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _body(message: Message) -> str:
    """The plain text, or what an HTML page says when there is none."""
    shown = _decoration(message)
    for kind, read in (("text/plain", str), ("text/html", plain_text)):
        found = [
            _decoded(part) for part in message.walk() if part.get_content_type() == kind and not _attached(part, shown)
        ]
        text = "\n".join(found)
        if text.strip():
            return read(text)
    return ""


def _decoded(part: Message) -> str:
    """The text of a part. A wrong or unknown character set is replaced by the likeliest one, never an error."""
    data = _bytes(part)[: _BODY * 4]
    claimed = (part.get_content_charset() or "utf-8").lower()
    # Mails that say GB2312 use the characters of its successors.
    for charset in ("gb18030" if claimed in {"gb2312", "gbk", "x-gbk"} else claimed, "utf-8", "gb18030"):
        try:
            return data.decode(charset)
        except (LookupError, UnicodeError):
            continue
    return data.decode("latin-1")
