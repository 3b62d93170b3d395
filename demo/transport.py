"""Two ways to reach the product: over HTTP, or a Flask client in this process (for seeding and tests)."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

#: How long work in the background may take, in seconds; only something that hangs reaches it.
PATIENCE_S = 600.0
_TOKEN = re.compile(r'name="csrf-token" content="([0-9a-f]{64})"')


class DemoFailed(Exception):
    """Something is not as it should be; the message says what was asked and what came back."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    text: str
    body: Any
    headers: dict[str, str]  # names in title case


class Transport(Protocol):
    """How to reach the product."""

    def visitor(self) -> "Visitor":
        """A fresh browser without cookies."""
        ...

    def send(self, method: str, path: str, *, token: str, body: Any, headers: dict[str, str]) -> Answer:
        """One API call."""
        ...

    def settle(self) -> None:
        """Let background work go on for a moment."""
        ...


class Visitor(Protocol):
    """A browser that keeps cookies."""

    def send(self, method: str, path: str, form: dict[str, Any] | None) -> Answer:
        """One request, redirects not followed."""
        ...


@dataclass
class OverHttp:
    """The product at an address, as anybody reaches it."""

    base_url: str
    http: requests.Session = field(default_factory=requests.Session)

    def visitor(self) -> "HttpVisitor":
        """A fresh browser without cookies."""
        return HttpVisitor(self.base_url)

    def send(self, method: str, path: str, *, token: str, body: Any, headers: dict[str, str]) -> Answer:
        """One API call."""
        signed = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        answer = self.http.request(method, self.base_url + path, json=body, headers=signed, timeout=60)
        return _answer(answer)

    def settle(self) -> None:
        """The instance works by itself; wait a little."""
        time.sleep(0.25)


@dataclass
class HttpVisitor:
    """A browser over HTTP."""

    base_url: str
    http: requests.Session = field(default_factory=requests.Session)

    def send(self, method: str, path: str, form: dict[str, Any] | None) -> Answer:
        """One request, redirects not followed."""
        url = self.base_url + path
        return _answer(self.http.request(method, url, data=form, allow_redirects=False, timeout=60))


def _answer(answer: requests.Response) -> Answer:
    kind = answer.headers.get("Content-Type", "")
    body = answer.json() if "json" in kind and answer.content else None
    headers = {name.title(): value for name, value in answer.headers.items()}
    return Answer(answer.status_code, answer.text if "text" in kind else "", body, headers)


class Browser:
    """Fills forms as a person without scripts would: opens the page, sends its token with the form."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def get(self, path: str, expect: int = 200) -> Answer:
        """Open a page."""
        answer = self._visitor.send("GET", path, None)
        return _expect(answer, (expect,), f"GET {path}")

    def submit(self, page: str, path: str, form: dict[str, Any], expect: int = 303) -> Answer:
        """Open `page` and send `form` to `path`."""
        found = _TOKEN.search(self.get(page).text)
        if not found:
            raise DemoFailed(f"{page} holds no form token")
        answer = self._visitor.send("POST", path, {**form, "csrf_token": found.group(1)})
        return _expect(answer, (expect,), f"POST {path}")


@dataclass
class Caller:
    """One person at the API."""

    transport: Transport
    name: str
    token: str = ""
    password: str = ""

    def call(self, method: str, path: str, body: Any = None, *, expect: int | tuple[int, ...] = 200, **kw: str) -> Any:
        """The JSON answer; raises DemoFailed for any other status than expected."""
        headers = {k.replace("_", "-"): v for k, v in kw.items()}
        answer = self.transport.send(method, "/api/v1" + path, token=self.token, body=body, headers=headers)
        wanted = (expect,) if isinstance(expect, int) else expect
        return _expect(answer, wanted, f"{self.name}: {method} {path}").body

    def get(self, path: str, **kw: Any) -> Any:
        """Read."""
        return self.call("GET", path, **kw)

    def post(self, path: str, body: Any = None, **kw: Any) -> Any:
        """Change."""
        return self.call("POST", path, {} if body is None else body, **kw)

    def put(self, path: str, body: Any, **kw: Any) -> Any:
        """Replace."""
        return self.call("PUT", path, body, **kw)

    def patch(self, path: str, body: Any, **kw: Any) -> Any:
        """Change a part."""
        return self.call("PATCH", path, body, **kw)

    def until(self, path: str, done: Callable[[Any], bool], what: str, timeout: float = PATIENCE_S) -> Any:
        """Read `path` again and again until `done`; raises DemoFailed after `timeout` seconds."""
        end = time.monotonic() + timeout
        while True:
            found = self.get(path)
            if done(found):
                return found
            if time.monotonic() > end:
                raise DemoFailed(f"{what} did not happen within {timeout:.0f} s; last seen: {str(found)[:600]}")
            self.transport.settle()


def own_path(url: str) -> str:
    """The path of one of the product's own links."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _expect(answer: Answer, wanted: tuple[int, ...], what: str) -> Answer:
    if answer.status not in wanted:
        told = answer.body if answer.body is not None else re.sub(r"<[^>]+>|\s+", " ", answer.text)[:500]
        raise DemoFailed(f"{what} answered {answer.status} instead of {wanted[0]}: {told}")
    return answer
