"""The order in which stages may be recorded, complete."""

import itertools

import pytest

from marketplace.kernel.errors import Conflict, Invalid
from marketplace.production.rules import BY_CODE, STAGES, allowed, check, check_shippable, choices, progress

#: stage before (None: nothing yet) -> every stage that may come next. What is not listed is refused.
_NEXT: dict[str | None, str] = {
    None: "cad_review",
    "cad_review": "cad_review wax casting",
    "wax": "wax casting",
    "casting": "casting finishing",
    "finishing": "finishing setting polishing",
    "setting": "setting polishing",
    "polishing": "polishing plating hallmark quality_control",
    "plating": "plating hallmark quality_control",
    "hallmark": "hallmark quality_control",
    "quality_control": "quality_control packing wax casting finishing setting polishing plating",
    "packing": "packing",
}


@pytest.mark.parametrize(("last", "stage"), list(itertools.product(_NEXT, [*BY_CODE, "unknown"])))
def test_a_stage_follows_another_only_as_the_table_says(last: str | None, stage: str) -> None:
    """NEG-07: no stage of the work is skipped."""
    assert allowed(last, stage) == (stage in _NEXT[last].split())


def test_every_stage_offers_a_way_on_and_the_likely_one_first() -> None:
    assert [s.code for s in choices(None)] == ["cad_review"]
    assert choices("casting")[0].code == "finishing"
    assert choices("quality_control")[0].code == "packing"
    assert {s.code for s in choices("quality_control")} == set(_NEXT["quality_control"].split())


def test_quality_control_needs_a_photo() -> None:
    done = ["cad_review", "casting", "finishing", "polishing"]
    with pytest.raises(Invalid) as caught:
        check(done, "quality_control", 0)
    assert caught.value.code == "photo_missing"
    check(done, "quality_control", 1)


def test_a_skipped_required_stage_is_refused_and_the_allowed_ones_are_named() -> None:
    with pytest.raises(Conflict) as caught:
        check(["cad_review"], "polishing", 1)
    assert caught.value.code == "stage_out_of_order"
    assert set(caught.value.extra["allowed"]) == {"wax", "casting", "cad_review"}


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(Invalid):
        check([], "teleport", 1)


@pytest.mark.parametrize("done", [[], ["cad_review"], ["packing", "quality_control"]])
def test_pieces_that_are_not_packed_cannot_leave(done: list[str]) -> None:
    with pytest.raises(Conflict) as caught:
        check_shippable(done)
    assert caught.value.code == "not_packed"
    check_shippable([*done, "packing"])


def test_rework_opens_later_stages_again() -> None:
    states = {stage.code: state for stage, state in progress(["cad_review", "casting", "quality_control", "casting"])}
    assert states["casting"] == "done"
    assert states["wax"] == "skipped"
    assert states["finishing"] == "current"
    assert states["quality_control"] == "upcoming"
    assert len(states) == len(STAGES)
