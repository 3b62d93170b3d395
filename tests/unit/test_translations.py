"""The Chinese catalogs: complete, with the same placeholders, and in the right characters."""

import ast
import re
from collections import defaultdict

import pytest
from babel.messages.catalog import Catalog, Message

from tools.translations import error_texts, extract, ids_of, load, placeholders, problems, words

CHINESE = ("zh_Hans", "zh_Hant")
#: What stands in Chinese as in English: codes without a Chinese name.
SAME = frozenset({"CAD"})
#: What the characters of each script can be written in; those of the other script cannot.
CHARSETS = {"zh_Hans": "gb2312", "zh_Hant": "cp950"}
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """What the sources say now."""
    return [message for message in extract() if message.id]


@pytest.fixture(scope="module", params=CHINESE)
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def catalog(locale: str) -> Catalog:
    return load(locale)


def pairs(messages: list[Message], catalog: Catalog) -> list[tuple[Message, str]]:
    """(message, each of its translations)."""
    found = ((message, catalog.get(message.id)) for message in messages)
    return [(message, text) for message, known in found if known is not None for text in words(known)]


def test_every_message_is_translated_with_its_placeholders(
    locale: str, messages: list[Message], catalog: Catalog
) -> None:
    assert problems(locale, messages, catalog) == []


def test_nothing_is_marked_as_uncertain(messages: list[Message], catalog: Catalog) -> None:
    assert not catalog.fuzzy
    assert [m.id for m in catalog if m.id and m.fuzzy] == []


def test_no_translation_is_left_in_english(messages: list[Message], catalog: Catalog) -> None:
    latin = re.compile(r"[A-Za-z]")
    left = [
        (message.id, text)
        for message, text in pairs(messages, catalog)
        if message.id not in SAME and not HAN.search(text) and latin.search(re.sub(r"%\(\w+\)s", "", text))
    ]
    assert left == []


def test_every_translation_can_be_filled_in(messages: list[Message], catalog: Catalog) -> None:
    for message, text in pairs(messages, catalog):
        if placeholders(text):
            filled = text % defaultdict(lambda: "7")
            assert "%(" not in filled, message.id


def test_the_markup_is_that_of_the_english(messages: list[Message], catalog: Catalog) -> None:
    tags = re.compile(r"</?\w+[^>]*>")
    changed = [m.id for m, text in pairs(messages, catalog) if tags.findall(ids_of(m)[0]) != tags.findall(text)]
    assert changed == []


def test_each_script_keeps_to_its_characters(locale: str, messages: list[Message], catalog: Catalog) -> None:
    foreign = []
    for message, text in pairs(messages, catalog):
        for character in HAN.findall(text):
            try:
                character.encode(CHARSETS[locale])
            except UnicodeEncodeError:
                foreign.append((message.id, character))
    assert foreign == []


def test_chinese_is_set_without_spaces_or_half_width_marks(messages: list[Message], catalog: Catalog) -> None:
    wrong = re.compile(r"[\u4e00-\u9fff](?: +[\u4e00-\u9fff]|[,;:!?])")
    assert [text for _, text in pairs(messages, catalog) if wrong.search(text)] == []


def test_the_extraction_reaches_layouts_parts_and_the_fields_of_errors(messages: list[Message]) -> None:
    known = {text for message in messages for text in ids_of(message)}
    # a layout, a part, a template that uses the `do` extension, a form's validator, a field of an error
    assert known >= {
        "Skip to the content",
        "Loading…",
        "Take out of the catalog",
        "You must be 18 or older.",
        "Write 0 or more.",
    }


def test_the_messages_of_errors_are_found_however_they_are_written() -> None:
    source = """
words = "From a name."
def refuse(held):
    raise Conflict("paid" if held in {"a", "b"} else "unpaid", "From a literal.", extra={"state": held})
    raise errors.Invalid("x", words, fields={"/a": words, "/b": "From a field."})
    raise NotFound("y", "One way." if held else "The other way.")
    raise ValueError("From a validator.")
    raise ValueError("for programmers")
"""
    assert sorted(error_texts(ast.parse(source))) == [
        "From a field.",
        "From a literal.",
        "From a name.",
        "From a name.",
        "From a validator.",
        "One way.",
        "The other way.",
    ]
