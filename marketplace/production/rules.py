"""The stages of making a piece, as a table, and the order in which they may be recorded. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from marketplace.kernel.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; an optional one may be skipped. `photo`: a picture must show it."""

    code: str
    label: Any
    optional: bool = False
    photo: bool = False


#: In working order, after the trade's own list: CAD review by the workshop, print or wax, cast, clean up, set stones,
#: polish, plate, hallmark, check, pack.
STAGES: tuple[Stage, ...] = (
    Stage("cad_review", _l("CAD review")),
    Stage("wax", _l("Wax or resin print"), optional=True),
    Stage("casting", _l("Casting")),
    Stage("finishing", _l("Filing and assembly")),
    Stage("setting", _l("Stone setting"), optional=True),
    Stage("polishing", _l("Polishing")),
    Stage("plating", _l("Plating"), optional=True),
    Stage("hallmark", _l("Hallmark"), optional=True),
    Stage("quality_control", _l("Quality control"), photo=True),
    Stage("packing", _l("Packing")),
)
BY_CODE = {stage.code: stage for stage in STAGES}
_POSITION = {stage.code: index for index, stage in enumerate(STAGES)}
#: Stages a piece goes back to when quality control finds a fault.
REWORK = frozenset({"wax", "casting", "finishing", "setting", "polishing", "plating"})
LAST = STAGES[-1].code


def allowed(last: str | None, stage: str) -> bool:
    """Whether `stage` may be recorded when `last` was the one before (None: nothing yet).

    Forward past optional stages only; the same stage again for another note; from quality control back into rework.
    """
    if stage not in BY_CODE:
        return False
    if stage == last or (last == "quality_control" and stage in REWORK):
        return True
    start = -1 if last is None else _POSITION[last]
    target = _POSITION[stage]
    return target > start and all(STAGES[i].optional for i in range(start + 1, target))


def choices(last: str | None) -> list[Stage]:
    """The stages that may come next, the likely one first: forward ones, then the same again, then rework."""
    found = [stage for stage in STAGES if allowed(last, stage.code)]
    here = -1 if last is None else _POSITION[last]
    return sorted(found, key=lambda s: (_POSITION[s.code] <= here, s.code != last, _POSITION[s.code]))


def check(done: Sequence[str], stage: str, photos: int) -> None:
    """Raise Invalid for an unknown stage or a missing picture, Conflict `stage_out_of_order` for a wrong turn."""
    if stage not in BY_CODE:
        raise Invalid("stage_unknown", "Choose a stage.", fields={"stage": "Choose one of the offered values."})
    last = done[-1] if done else None
    if not allowed(last, stage):
        raise Conflict(
            "stage_out_of_order",
            "This stage cannot be recorded now; the stages before it come first.",
            extra={"allowed": [s.code for s in choices(last)]},
        )
    if BY_CODE[stage].photo and photos == 0:
        text = "Add at least one photo that shows this stage."
        raise Invalid("photo_missing", "Add at least one photo that shows this stage.", fields={"evidence": text})


def check_shippable(done: Sequence[str]) -> None:
    """Raise Conflict `not_packed` until the last stage is recorded."""
    if not done or done[-1] != LAST:
        raise Conflict("not_packed", "Record all stages up to packing before you ship.")


def progress(done: Sequence[str]) -> list[tuple[Stage, str]]:
    """Every stage with done, current, upcoming, or skipped, for a stepper. After rework later stages are open again."""
    last = _POSITION[done[-1]] if done else -1
    seen = set(done)
    found = []
    for index, stage in enumerate(STAGES):
        if index <= last:
            state = "done" if stage.code in seen else "skipped"
        else:
            state = "current" if index == last + 1 else "upcoming"
        found.append((stage, state))
    return found
