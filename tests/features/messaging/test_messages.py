"""Messages: bounds, languages, translations on their way, done, doubtful, failed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.messaging.glossary import pairs
from marketplace.messaging.languages import detect
from marketplace.messaging.models import Message, MessageTranslation
from marketplace.messaging.operations import clean, keep_translation
from marketplace.messaging.rules import TRANSLATION
from marketplace.services import Services
from marketplace.studio.models import AiCall
from tests.features.licensing.conftest import Pair
from tests.kit.people import Make
from tests.states.table import assert_table

Jobs = Callable[..., dict[str, str]]


def test_the_translation_table_is_exactly_this() -> None:
    assert_table(
        TRANSLATION,
        {
            ("pending", "translated", "system"): "ready",
            ("pending", "translated_unchecked", "system"): "figures_unchecked",
            ("pending", "give_up", "system"): "failed",
            ("failed", "ask_again", "sender"): "pending",
            ("failed", "ask_again", "reader"): "pending",
        },
    )


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("Could you make 50 pieces in 18k?", "zh_Hans", "en"),
        ("您好！ON-0417 我们可以做。", "en", "zh_Hans"),
        ("您好！ON-0417 我們可以做。", "en", "zh_Hant"),
        ("Buongiorno, cerco un produttore per l'anello", "en", "it"),
        ("Bonjour, nous cherchons un fabricant pour la bague", "en", "fr"),
        ("ON-0417", "zh_Hans", "zh_Hans"),
        ("50", "en", "en"),
        ("OK", "zh_Hant", "zh_Hant"),
    ],
)
def test_the_language_is_told_by_script_and_common_words(text: str, default: str, expected: str) -> None:
    assert detect(text, default) == expected


def test_real_messages_are_recognized(real_data: Path) -> None:
    rows = [json.loads(line) for line in (real_data / "messages" / "messages.jsonl").read_text("utf-8").splitlines()]
    known = {"en", "it", "fr", "de", "zh_Hans", "zh_Hant", "ja"}
    told = [(detect(r["text"], "en"), r["lang"].replace("-", "_"), r["id"]) for r in rows]
    judged = [entry for entry in told if entry[1] in known]
    wrong = [entry for entry in judged if entry[0] != entry[1]]
    assert len(judged) >= 20
    assert len(wrong) <= len(judged) // 20, wrong


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u0000"])
def test_an_empty_message_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="write something"):
        clean(text)


def test_a_flood_is_refused_and_controls_are_dropped() -> None:
    with pytest.raises(Exception, match="4,000"):
        clean("a" * 4001)
    with pytest.raises(Exception, match="4,000"):
        clean("a" + "\u0301" * 100_000)
    assert clean("a\u0007b\r\nc\td") == "ab\nc\td"


def test_the_glossary_answers_both_ways() -> None:
    assert ("克拉", "carat") in pairs("zh_Hans", "en")
    assert pairs("it", "en") == []


def talk(pair: Pair, who: str, text: str) -> tuple[str, dict[str, Any]]:
    opened = pair.buyer.api.get("/negotiations").get_json()["items"]
    key = opened[0]["id"] if opened else pair.open()["id"]
    answer = getattr(pair, who).api.post(f"/negotiations/{key}/messages", {"text": text})
    assert answer.status_code == 201, answer.text
    return key, answer.get_json()


def messages(pair: Pair, who: str, key: str, lang: str) -> list[dict[str, Any]]:
    return list(getattr(pair, who).api.get(f"/negotiations/{key}/messages?lang={lang}").get_json()["items"])


def test_a_message_is_translated_for_the_other_side_and_recorded(
    pair: Pair,
    run_jobs: Jobs,
    session: Any,
) -> None:
    key, said = talk(pair, "buyer", "您好！首批 50 件，每件 6.8 克。")
    assert said["lang"] == "zh-Hans"
    before = messages(pair, "designer", key, "en")[0]
    assert before["translation"]["status"] == "pending"
    run_jobs()
    done = messages(pair, "designer", key, "en")[0]
    assert done["text"] == "您好！首批 50 件，每件 6.8 克。"
    assert done["translation"]["status"] in {"ready", "figures_unchecked"}
    assert done["translation"]["sandbox"] is True
    call = session.scalars(select(AiCall).where(AiCall.task == "translate")).one()
    assert (call.state, call.subject, call.org_id) == ("done", said["id"], pair.designer.org.id)
    assert call.sent


def test_nothing_is_translated_for_a_reader_of_the_same_language(pair: Pair, session: Any, make: Make) -> None:
    make.user(pair.buyer.org, "buyer", locale="en")
    _key, said = talk(pair, "designer", "Hello, we can do this for you.")
    rows = session.scalars(select(MessageTranslation).where(MessageTranslation.message_id == said["id"])).all()
    assert [row.lang for row in rows] == ["zh_Hans"]


def test_translating_twice_keeps_the_first(pair: Pair, run_jobs: Jobs, services: Services) -> None:
    key, said = talk(pair, "buyer", "谢谢")
    run_jobs()
    first = messages(pair, "designer", key, "en")[0]["translation"]
    with unit_of_work(services.engine, system("test")) as session:
        keep_translation(
            session, said["id"], "en", body="Something else", figures_checked=True, model="m", sandbox=False
        )
    assert messages(pair, "designer", key, "en")[0]["translation"] == first


def test_a_translation_stands_first_with_the_original_one_press_away(pair: Pair, services: Services) -> None:
    key, said = talk(pair, "buyer", "谢谢，我们考虑一下。")
    since = clock.now().isoformat()
    with unit_of_work(services.engine, system("test")) as session:
        keep_translation(
            session, said["id"], "en", body="Thank you, we will think.", figures_checked=True, model="m", sandbox=True
        )
    page = pair.designer.browser.get(f"/negotiations/{key}").get_data(as_text=True)
    assert "Thank you, we will think." in page
    assert "by the sandbox model" in page
    assert 'lang="zh-Hans" dir="auto">谢谢，我们考虑一下。' in page
    news = pair.designer.browser.get(
        f"/negotiations/{key}/news",
        query_string={"after": since, "version": 1, "state": "open"},
        headers={"HX-Request": "true"},
    ).get_data(as_text=True)
    assert f'hx-target="#{said["id"]}"' in news


def test_doubtful_figures_show_the_original_with_a_warning(pair: Pair, services: Services) -> None:
    key, said = talk(pair, "buyer", "每件 6.8 克。")
    with unit_of_work(services.engine, system("test")) as session:
        keep_translation(
            session, said["id"], "en", body="每件 6.8 克。", figures_checked=False, model="m", sandbox=False
        )
    page = pair.designer.browser.get(f"/negotiations/{key}").get_data(as_text=True)
    assert "figures could not be checked" in page
    assert "Translated from" not in page


def test_markup_and_direction_overrides_stay_text(pair: Pair, session: Any) -> None:
    key, _said = talk(pair, "buyer", "<script>alert(1)</script> \u202eevil")
    page = pair.designer.browser.get(f"/negotiations/{key}").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert session.scalars(select(Message)).one().org_id == pair.buyer.org.id


def test_long_threads_come_in_pages(pair: Pair) -> None:
    key, _first = talk(pair, "buyer", "Message 0")
    for n in range(1, 7):
        talk(pair, "designer" if n % 2 else "buyer", f"Message {n}")
    path = f"/negotiations/{key}/messages?limit=3"
    seen: list[str] = []
    cursor = ""
    while True:
        page = pair.buyer.api.get(path + (f"&cursor={cursor}" if cursor else "")).get_json()
        seen = [m["text"] for m in page["items"]] + seen
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == [f"Message {n}" for n in range(7)]
