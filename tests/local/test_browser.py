import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from sandbox.local import browser, chromium
from sandbox.local.environment import CHECKOUT
from sandbox.local.terminal import Trouble


def test_a_named_browser_comes_first_with_its_libraries_for_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "chrome"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(program))
    monkeypatch.setenv("FONTCONFIG_PATH", "/fonts")
    monkeypatch.setenv("BROWSER_LD_LIBRARY_PATH", "/libraries")
    found = browser.find()
    assert found.path == program
    assert found.env == {"FONTCONFIG_PATH": "/fonts", "LD_LIBRARY_PATH": "/libraries"}
    assert found.exported()["BROWSER_LD_LIBRARY_PATH"] == "/libraries"
    assert "LD_LIBRARY_PATH" not in found.exported()


def test_a_named_browser_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/no/such/browser")
    with pytest.raises(Trouble, match="not a program"):
        browser.find()


def test_no_browser_at_all_is_an_error_and_never_a_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for look in ("_named", "_playwrights", "_on_path", "_downloaded"):
        monkeypatch.setattr(browser, look, lambda: None)
    with pytest.raises(Trouble, match="no browser"):
        browser.find(tmp_path)


@pytest.mark.browser
def test_the_browser_draws_chinese_and_webgl_and_is_unpacked_once() -> None:
    found = browser.find()
    if found.path.parent.name == "browser":
        before = found.path.stat().st_mtime_ns
        assert chromium.unpack(CHECKOUT) / "chromium" == found.path
        assert found.path.stat().st_mtime_ns == before
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(found.path), args=list(found.args), env={**os.environ, **found.env}
        )
        page = started.new_page()
        page.set_content("<b id=a>戒指</b><br><b id=b>\U0010fffd\U0010fffd</b><canvas></canvas>")
        assert page.evaluate("!!document.querySelector('canvas').getContext('webgl2')")
        width = "document.getElementById('a').getBoundingClientRect().width"
        assert page.evaluate(width) > 20  # two full-width characters at 16 px
        started.close()
