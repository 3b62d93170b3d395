"""Mail by SMTP; the only importer of `smtplib`.

One message to one person. Nothing a person typed can add a header or a recipient: control characters are
refused before the message is made, and addresses are parsed, not pasted.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from marketplace.kernel import clock
from marketplace.kernel.errors import DomainError, Unavailable

TIMEOUT_S = 15

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}", re.ASCII)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]{1,200}@[A-Za-z0-9.-]{1,200}>", re.ASCII)
_OURS = frozenset({"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "sender", "return-path"})


class MailUnavailable(Unavailable):
    """The mail server does not answer or asks us to come back; sending again is safe."""


class MailRefused(DomainError):
    """The message or its recipient is refused for good; sending again cannot help."""

    status = 422


@dataclass(frozen=True, slots=True)
class Message:
    """A mail. `message_id` is `<...@...>`, the same for every attempt so that receivers can drop a
    duplicate.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    message_id: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Mailer:
    """Sends through `smtp://[user:password@]host[:port][?starttls=1]` or `smtps://...`.

    With a password the connection is always encrypted.
    """

    def __init__(self, smtp_url: str, mail_from: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(smtp_url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("SMTP_URL is smtp://host:port or smtps://user:password@host")
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        wants_tls = parse_qs(parts.query).get("starttls", ["0"])[0] == "1"
        self._starttls = not self._tls and (wants_tls or bool(self._user))
        self._timeout = timeout_s
        self._from = _address(*parseaddr(mail_from))

    def send(self, message: Message) -> None:
        """Hand the message to the mail server.

        Raises MailRefused for a bad address, a control character in a header, or a permanent (5xx) answer;
        MailUnavailable for everything that may pass.
        """
        built = self._build(message)
        with _errors(), self._connection() as server:
            server.send_message(built)

    def ping(self) -> None:
        """Return when the mail server answers. Raises MailUnavailable."""
        with _errors(), self._connection() as server:
            server.noop()

    def _build(self, message: Message) -> EmailMessage:
        built = EmailMessage(policy=SMTP)
        try:
            built["From"] = self._from
            built["To"] = _address("", message.to)
            if message.reply_to is not None:
                built["Reply-To"] = _address("", message.reply_to)
            built["Subject"] = _line("subject", message.subject)
            built["Date"] = format_datetime(clock.now())
            if message.message_id is not None:
                if not _MESSAGE_ID.fullmatch(message.message_id):
                    raise MailRefused("bad_header", "The message id is malformed.")
                built["Message-ID"] = message.message_id
            built["Auto-Submitted"] = "auto-generated"
            for name, value in message.headers.items():
                if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
                    raise MailRefused("bad_header", f"The header {name!r} cannot be set.")
                del built[name]
                built[name] = _Whole(name, _line(name, value))
            built.set_content(message.text, cte="quoted-printable")
            if message.html is not None:
                built.add_alternative(message.html, subtype="html", cte="quoted-printable")
        except (ValueError, MessageError, UnicodeError) as error:
            raise MailRefused("bad_message", "The message cannot be written as mail.") from error
        return built

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._timeout, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        with server:
            if self._starttls:
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(self._user, self._password)
            yield server


class _Whole(str):
    """A header that is never folded: the library would write an address without spaces as an encoded word, which no
    mail program reads in List-Unsubscribe.
    """

    def __new__(cls, name: str, value: str) -> "_Whole":
        made = super().__new__(cls, value)
        made.name = name
        return made

    name: str

    def fold(self, *, policy: Policy) -> str:
        """The header's line, as the generator asks for it."""
        return f"{self.name}: {self}{policy.linesep}"


def _line(name: str, value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 or c in "\u0085\u2028\u2029" for c in value) or len(value) > 900:
        raise MailRefused("bad_header", f"The {name} holds a line break or is too long.")
    return value


def _address(name: str, address: str) -> Address:
    _line("address", address)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(c.isspace() or c in ',;:<>()[]\\"' for c in address):
        raise MailRefused("bad_address", "This is not an e-mail address.")
    try:
        return Address(display_name=_line("name", name), username=local, domain=domain.encode("idna").decode())
    except (ValueError, UnicodeError, MessageError, IndexError) as error:
        raise MailRefused("bad_address", "This is not an e-mail address.") from error


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _answered(codes[0] if codes else 550) from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailUnavailable("mail_unavailable", "The mail server does not take our password.") from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailRefused("mail_refused", "The mail server cannot carry this message.") from error
    except smtplib.SMTPResponseException as error:
        raise _answered(error.smtp_code) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnavailable("mail_unavailable", "The mail server does not answer right now.") from error


def _answered(code: int) -> DomainError:
    if 500 <= code < 600:
        return MailRefused("mail_refused", f"The mail server refused the message ({code}).")
    return MailUnavailable("mail_unavailable", f"The mail server asks to come back later ({code}).")
