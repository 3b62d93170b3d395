"""Rules of designs and files, without services."""

import pytest

from marketplace.designs import rules
from marketplace.designs.rules import Readiness
from marketplace.designs.words import search_text, search_words
from marketplace.kernel.errors import Invalid
from tests.states.table import assert_table

COMPLETE = Readiness(
    title="Halo",
    category="ring",
    description="A ring of eighteen stones around one, made to be worn daily.",
    has_price=True,
    approved_story=False,
    pictures=1,
    ready_cad=1,
    no_cad_reason=None,
    unfinished=0,
    rejected=0,
    payouts=None,
)


def test_every_step_of_a_design() -> None:
    expected = {
        ("draft", "list", "owner"): "listed",
        ("listed", "unlist", "owner"): "removed",
        ("removed", "list", "owner"): "listed",
    }
    assert_table(rules.DESIGN, expected)


def test_every_step_of_a_file() -> None:
    expected = {
        ("awaiting_upload", "complete", "owner"): "uploaded",
        ("uploaded", "begin", "system"): "processing",
        ("processing", "begin", "system"): "processing",
        ("processing", "finish", "system"): "ready",
        ("processing", "reject", "system"): "rejected",
        ("uploaded", "reject", "system"): "rejected",
        ("rejected", "retry", "owner"): "uploaded",
        ("ready", "measure", "owner"): "uploaded",
    }
    assert_table(rules.ASSET, expected)


def test_a_complete_design_can_be_listed() -> None:
    assert rules.blocking(rules.checklist(COMPLETE)) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": " "}, "title"),
        ({"category": None}, "category"),
        ({"category": "spoon"}, "category"),
        ({"description": "x" * 39}, "description"),
        ({"has_price": False}, "price"),
        ({"pictures": 0}, "picture"),
        ({"ready_cad": 0}, "cad"),
        ({"ready_cad": 0, "no_cad_reason": "  "}, "cad"),
        ({"unfinished": 1}, "files_finished"),
        ({"rejected": 1}, "no_rejected_file"),
    ],
)
def test_one_missing_thing_blocks_listing_under_its_own_name(change: dict[str, object], code: str) -> None:
    ready = Readiness(**{**{f: getattr(COMPLETE, f) for f in COMPLETE.__slots__}, **change})
    assert [check.code for check in rules.blocking(rules.checklist(ready))] == [code]


def test_missing_payouts_are_advice_only() -> None:
    ready = Readiness(**{**{f: getattr(COMPLETE, f) for f in COMPLETE.__slots__}, "payouts": False})
    checks = rules.checklist(ready)
    assert [c.code for c in checks if not c.done] == ["payouts"]
    assert rules.blocking(checks) == []


def test_an_approved_story_stands_for_a_description() -> None:
    ready = Readiness(
        **{**{f: getattr(COMPLETE, f) for f in COMPLETE.__slots__}, "description": "", "approved_story": True}
    )
    assert rules.blocking(rules.checklist(ready)) == []


def test_a_file_too_large_is_refused_with_both_numbers() -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_file("cad", "ring.step", 250_000_001)
    assert str(refused.value) == "ring.step is 250.1 MB; the most is 250 MB."


@pytest.mark.parametrize(
    ("kind", "name", "size", "code"),
    [
        ("photo", "a.jpg", 0, "empty_file"),
        ("photo", "a.jpg", 60_000_001, "file_too_large"),
        ("photo", "a.stl", 10, "unsupported_file"),
        ("cad", "a.jpg", 10, "unsupported_file"),
        ("cad", "a.svg", 10, "unsupported_file"),
    ],
)
def test_files_that_cannot_be_taken(kind: str, name: str, size: int, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_file(kind, name, size)
    assert refused.value.code == code


def test_the_largest_allowed_file_is_taken() -> None:
    rules.check_file("photo", "A.JPEG", 60_000_000)
    rules.check_file("cad", "ring.STEP", 250_000_000)


def test_chinese_is_searched_by_pairs_and_full_width_by_its_plain_form() -> None:
    assert search_words("钻石戒指 １８Ｋ") == ["钻", "石", "戒", "指", "钻石", "石戒", "戒指", "18k"]
    assert search_text(["Ring ring", "RING"]) == "ring"
