"""One person's browser window: presses what it says, and remembers everything that went wrong in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from babel.support import NullTranslations, Translations
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, Response, ViewportSize, expect

from sandbox.local.environment import CHECKOUT
from tests.journeys.live import Live
from tests.kit.people import PASSWORD

#: The phone of the design, and a common laptop (CSS pixels).
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
_TAGS = {"en": "en-US", "zh_Hans": "zh-CN", "zh_Hant": "zh-HK"}
#: How long, in milliseconds, a page may take on a busy machine; and how long background work may.
PATIENCE = 120_000
WORK = 600_000


@dataclass(frozen=True)
class Who:
    """Somebody with a browser."""

    role: str
    name: str
    email: str
    business: str
    country: str
    language: str = "en"
    viewport: ViewportSize = field(default_factory=DESK.copy)
    password: str = PASSWORD


class Window:
    """A browser context of its own with one page, at the person's language and width."""

    def __init__(self, browser: Browser, live: Live, who: Who) -> None:
        self.live, self.who = live, who
        self.troubles: list[str] = []
        self._expected = ""
        self.context = browser.new_context(
            base_url=live.base_url,
            locale=_TAGS[who.language],
            viewport=who.viewport,
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(PATIENCE)
        self.page = self.tab()

    def tab(self) -> Page:
        """Another page in the same window."""
        page = self.context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._note(f"script error: {error}"))
        page.on("response", self._on_response)
        return page

    def close(self) -> None:
        """End the window."""
        self.context.close()

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """A refusal with this status is what the test is about; the browser's own line on it is no trouble."""
        self._expected = f"status of {status}"
        yield
        self.page.wait_for_load_state()
        self._expected = ""

    @property
    def path(self) -> str:
        """Where the page is."""
        return urlsplit(self.page.url).path

    @property
    def token_of_path(self) -> str:
        """The id in the page's address."""
        found = re.search(r"/([a-z]{3}_[A-Za-z0-9]+)", self.path)
        assert found, self.path
        return found.group(1)

    def say(self, text: str, **params: Any) -> str:
        """One of our words in the person's language."""
        found: str = self._words.gettext(text)
        return found % params if params else found

    def open(self, path: str) -> None:
        """Go to a page."""
        self.page.goto(path)

    def follow(self, text: str, **params: Any) -> None:
        """Press a link."""
        self.page.get_by_role("link", name=self.say(text, **params), exact=True).first.click()

    def button(self, text: str, *, within: Locator | None = None, **params: Any) -> Locator:
        """A button by its words."""
        return (within or self.page).get_by_role("button", name=self.say(text, **params), exact=True)

    def press(self, text: str, *, within: Locator | None = None, sure: bool = False, **params: Any) -> None:
        """Press a button; `sure` answers the question that follows with yes."""
        self.button(text, within=within, **params).first.click()
        if sure:
            self.button("Yes, go on", within=self.page.locator("dialog[open]")).click()

    def fill(self, name: str, value: str) -> None:
        """Write into the field that is posted under `name`."""
        self.page.locator(f"main [name={name}]").first.fill(value)

    def choose(self, name: str, value: str) -> None:
        """Choose from a list, a set of radio buttons or of check boxes."""
        field = self.page.locator(f"main select[name={name}]")
        if field.count():
            field.first.select_option(value)
        else:
            self.page.locator(f'main input[name={name}][value="{value}"]').check()

    def unfold(self, text: str) -> None:
        """Open a folded part of the page."""
        self.page.locator("main summary", has_text=self.say(text)).first.click()

    def sees(self, text: str, *, timeout: float = PATIENCE, **params: Any) -> None:
        """Our words stand somewhere in the page's main part."""
        found = self.page.locator("main").get_by_text(self.say(text, **params)).first
        expect(found).to_be_visible(timeout=timeout)

    def reads(self, text: str, *, timeout: float = PATIENCE) -> None:
        """Somebody's own words stand somewhere on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout)

    def waits_for_state(self, text: str) -> None:
        """Open the page again and again until its head shows this state, as one would who waits for others."""
        badge = self.page.locator(".page-head .badge", has_text=self.say(text))
        for _ in range(WORK // 1000):
            self.page.wait_for_load_state()
            if badge.count():
                return
            self.page.wait_for_timeout(1000)
            self.page.reload()
        expect(badge).to_be_visible()

    def is_clean(self) -> None:
        """Nothing went wrong so far."""
        assert not self.troubles, f"{self.who.name}: " + "\n".join(self.troubles)

    @cached_property
    def _words(self) -> NullTranslations:
        return Translations.load(str(CHECKOUT / "translations"), [self.who.language])

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not (self._expected and self._expected in message.text):
            self._note(f"console: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self._note(f"{response.status} from {response.url}")

    def _note(self, what: str) -> None:
        try:
            where = self.page.url
        except (AttributeError, Error):
            where = "?"
        self.troubles.append(f"{what} (on {where})")
