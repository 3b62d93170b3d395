"""Edits of photos as the pages know them: which steps there are, and the check of a stack. No pixels here."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from ai_pipeline.imaging.stack import COLOR_LIMIT, KINDS, SHAPES, SURE, Stack
from marketplace.kernel.errors import Invalid

__all__ = ["COLOR_LIMIT", "KINDS", "SHAPES", "SURE", "checked_steps"]


def checked_steps(steps: Iterable[Any]) -> list[dict[str, Any]]:
    """Steps as they are kept: complete, and in the order they are made in. Raises Invalid `bad_step`."""
    try:
        stack = Stack.model_validate({"steps": list(steps)})
    except ValidationError as error:
        where = "/".join(str(part) for part in error.errors()[0]["loc"])
        raise Invalid(
            "bad_step",
            "A step of the edit cannot be used: %(why)s.",
            params={"why": error.errors()[0]["msg"]},
            fields={"/" + where: "This is not a step of an edit."},
        ) from error
    return [step.model_dump() for step in stack.steps]
