"""Which language a reader gets, and that nothing else can be asked for (TRN-06)."""

import re

import pytest
from werkzeug.test import TestResponse

from tests.kit.people import Make


def _language(answer: TestResponse) -> str:
    found = re.search(r'<html lang="([\w-]+)"', answer.get_data(as_text=True))
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.5", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-CN", "zh-Hant"),
        ("zh", "zh-Hans"),
        ("fr-FR,fr;q=0.9", "en"),
        ("fr-FR,zh-TW;q=0.5,en;q=0.1", "zh-Hant"),
        ("en;q=0.1,zh-CN;q=0.9", "zh-Hans"),
        ("*", "en"),
        ("../../etc/passwd", "en"),
        ("zh_Hans/../../x", "zh-Hans"),
        (";;;,,,q=;", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_the_browsers_language_decides_for_a_visitor(make: Make, accepted: str, wanted: str) -> None:
    assert _language(make.visitor().get("/terms", headers={"Accept-Language": accepted})) == wanted


def test_a_persons_own_choice_comes_before_the_browsers(make: Make) -> None:
    person = make.person("designer", locale="zh_Hant")
    assert _language(person.browser.get("/settings", headers={"Accept-Language": "en"})) == "zh-Hant"


def test_the_menu_changes_the_language_here_and_on_the_next_device(make: Make) -> None:
    person = make.person("designer")
    answer = person.browser.post("/preferences/language", {"language": "zh_Hans", "next": "/settings"})
    assert answer.location == "/settings"
    assert _language(person.browser.get("/settings")) == "zh-Hans"
    again = make.sign_in(person.user, person.org, "designer")
    assert _language(again.browser.get("/settings")) == "zh-Hans"


@pytest.mark.parametrize("odd", ["../../etc/passwd", "xx", "zh-Hans", "", "en\r\nSet-Cookie: a=b", "%s", "EN"])
def test_a_language_we_do_not_have_changes_nothing(make: Make, odd: str) -> None:
    visitor = make.visitor()
    answer = visitor.post("/preferences/language", {"language": odd})
    assert answer.status_code == 303
    assert "touchstone_language" not in str(answer.headers.get_all("Set-Cookie"))
    visitor.client.set_cookie("touchstone_language", "../../etc/passwd", domain="localhost")
    assert _language(visitor.get("/terms")) == "en"


def test_refusals_speak_the_readers_language(make: Make) -> None:
    chinese = {"Accept-Language": "zh-CN"}
    english = make.visitor().get("/nothing").get_data(as_text=True)
    page = make.visitor().get("/nothing", headers=chinese)
    assert page.status_code == 404
    assert _language(page) == "zh-Hans"
    assert re.search(r"[\u4e00-\u9fff]", page.get_data(as_text=True).partition("<main")[2].partition("</main>")[0])
    assert "There is nothing" in english
