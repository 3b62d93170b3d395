"""Every page, in English and Chinese, on a laptop and a phone: nothing serious by axe, nothing wider than it."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from marketplace.app import create_app
from marketplace.web.section import ROUTES
from tests.journeys.navigators import Desk
from tests.journeys.pages import NOT_PAGES, pages
from tests.journeys.stage import Stage
from tests.journeys.window import DESK, PHONE, Who, Window

ROLES = ("visitor", "designer", "buyer", "manufacturer", "production_manager", "operator")
_AXE = Axe().axe_script
_RUN = "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations)"
_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("role", ROLES)
def test_no_page_has_a_serious_violation_or_overflows(role: str, stage: Stage, browser: Browser) -> None:
    window = Window(browser, stage.live, stage.who(role) if role != "visitor" else Who(role, "", "", "", ""))
    stage.live.forget_limits()
    if role != "visitor":
        Desk(window).sign_in()
    found: list[str] = []
    for language in ("en", "zh_Hans"):
        cookie = {"name": "touchstone_language", "value": language, "url": stage.live.base_url}
        window.context.add_cookies([cookie])  # type: ignore[list-item]
        for path in pages(stage)[role]:
            with window.expecting(404):
                window.open(path)
            found += [f"{path} ({language}, {line}" for line in _problems(window.page)]
    window.close()
    assert not found, "\n".join(found)
    window.is_clean()


def test_every_route_that_shows_a_page_is_looked_at(stage: Stage) -> None:
    create_app(stage.live.settings)
    seen = [path.partition("?")[0] for paths in pages(stage).values() for path in paths]
    shown = {
        spec.endpoint: re.compile(re.sub(r"<[^>]+>", "[^/]+", spec.rule) + "$")
        for spec in ROUTES.values()
        if "GET" in spec.methods and not spec.api and spec.endpoint not in NOT_PAGES
    }
    missing = [name for name, rule in shown.items() if not any(rule.match(path) for path in seen)]
    assert missing in ([], ["styleguide.index"])


def _problems(page: Page) -> list[str]:
    page.evaluate(_AXE)
    found = []
    for viewport in (DESK, PHONE):
        page.set_viewport_size(viewport)
        width = viewport["width"]
        violations: list[dict[str, Any]] = page.evaluate(_RUN)
        for item in violations:
            if item["impact"] in {"serious", "critical"}:
                nodes = [f"{n['target'][-1]}: {n['any'][0]['message'] if n['any'] else ''}" for n in item["nodes"][:4]]
                found.append(f"{width}) {item['id']}: " + " | ".join(nodes))
        if page.evaluate(_TOO_WIDE):
            found.append(f"{width}) wider than the screen")
    return found
