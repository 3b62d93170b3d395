"""The edit task of the child: make a stack of steps on a photo, measure what it did to color, write web sizes."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from ai_pipeline.errors import N_
from ai_pipeline.imaging import adjust
from ai_pipeline.imaging.color import delta_e, lab
from ai_pipeline.imaging.derivatives import placeholder, write_derivatives, write_one
from ai_pipeline.imaging.matting import Matte, find_piece, work_copy
from ai_pipeline.imaging.pixels import MAX_EDGE, WIDTHS, decode, fit
from ai_pipeline.imaging.report import ColorShift, EditReport, Note, StepReport
from ai_pipeline.imaging.stack import (
    COLOR_LIMIT,
    SURE,
    Background,
    Crop,
    Dust,
    Exposure,
    Stack,
    Straighten,
    WhiteBalance,
)
from ai_pipeline.imaging.verify import verify

#: A cut picture keeps more pixels when the photo was read larger than a page needs.
SPARE = 1.3
#: Width of the picture that the result is compared with, pixels.
COMPARED = 1200
UNCHANGED = (1.0, 1.0, 1.0)


def edit(path: str, filename: str, declared_type: str, out_dir: str, stack: dict[str, Any]) -> EditReport:
    """Make the steps of `stack` on the photo at `path`, write its web sizes into `out_dir`. Raises Unreadable."""
    wanted = Stack.model_validate(stack)
    image, _ = decode(Path(path), verify(Path(path), filename, declared_type), SPARE)
    # What no page shows need not be worked on.
    placed = fit(place(image, wanted), max(WIDTHS), MAX_EDGE)
    matte = find_piece(placed)
    done = [StepReport(kind=step.kind) for step in wanted.steps if isinstance(step, Straighten | Crop)]
    start = placed
    if isinstance(dust := wanted.step("dust"), Dust):
        marks = adjust.specks(start, matte, dust.strength)
        start = adjust.without_specks(start, marks)
        done.append(StepReport(kind="dust", count=int(ndimage.label(marks)[1])))
    toned, ground = start, matte.ground
    for kind in ("white_balance", "exposure"):
        gains, stops = tone_of(wanted, kind)
        if gains == UNCHANGED and stops == 0:
            continue
        before = toned
        toned, ground = adjust.tone(before, gains, stops), adjust.tone(ground, gains, stops)
        done.append(StepReport(kind=kind, moved=shift(before, toned, matte).moved))
    result = toned
    if isinstance(background := wanted.step("background"), Background):
        result = adjust.cut_out(toned, matte, ground, background.ground)
        done.append(StepReport(kind="background"))
    uses_matte = any(step.kind in {"dust", "background"} for step in wanted.steps)
    tiny = fit(result, 64, 64)
    return EditReport(
        width=result.width,
        height=result.height,
        placeholder=placeholder(tiny),
        derivatives=write_derivatives(result, Path(out_dir)),
        before=write_one(Path(out_dir), fit(placed, COMPARED, MAX_EDGE), "before", "webp"),
        color=shift(start, result, matte),
        steps=done,
        confidence=matte.confidence if uses_matte else None,
        warnings=_warnings(wanted, matte, result),
    )


def place(image: Image.Image, stack: Stack) -> Image.Image:
    """The image after the steps that move pixels."""
    if isinstance(step := stack.step("straighten"), Straighten) and step.angle:
        image = adjust.straighten(image, step.angle)
    if isinstance(step := stack.step("crop"), Crop):
        image = image.crop(adjust.crop_box(image.size, step))
    return image


def tone_of(stack: Stack, kind: str) -> tuple[tuple[float, float, float], float]:
    """(gains, stops) of one of the steps that change tones; nothing when the stack lacks it."""
    step = stack.step(kind)
    if isinstance(step, WhiteBalance) and (step.warmth or step.tint):
        return adjust.gains(step.warmth, step.tint), 0.0
    if isinstance(step, Exposure):
        return UNCHANGED, step.stops
    return UNCHANGED, 0.0


def shift(before: Image.Image, after: Image.Image, matte: Matte) -> ColorShift:
    """How far the color of the piece moved between two images of the same size.

    Compared at work size, away from the edge of the piece, where an edit of the ground mixes in.
    """
    first, second = (lab(np.asarray(work_copy(image))) for image in (before, after))
    moved = delta_e(first, second)
    core = ndimage.binary_erosion(matte.piece, iterations=2)
    if not core.any():
        core = matte.piece
    known = matte.sure and bool(core.any())
    found = moved[core] if known else moved.ravel()
    return ColorShift(
        moved=round(float(found.mean()), 2),
        worst=round(float(np.percentile(found, 95)), 2),
        limit=COLOR_LIMIT,
        over="piece" if known else "picture",
    )


def _warnings(stack: Stack, matte: Matte, result: Image.Image) -> list[Note]:
    found = []
    if matte.confidence < SURE and stack.step("background"):
        found.append(
            Note(
                code="edge_unsure",
                message=N_(
                    "We are not sure where the piece ends and the ground begins (%(percent)s %%). Look closely at its"
                    " edge and its openings, or take this step out."
                ),
                params={"percent": round(matte.confidence * 100)},
            )
        )
    if matte.confidence < SURE and stack.step("dust"):
        found.append(
            Note(
                code="dust_unsure",
                message=N_("Piece and ground are hard to tell apart here, so a small part could be taken for dust."),
            )
        )
    if max(result.size) < 1200:
        found.append(
            Note(
                code="too_small",
                message=N_("The photo is %(width)s x %(height)s pixels; %(wanted)s on the long side look sharp."),
                params={"width": result.width, "height": result.height, "wanted": 1200},
            )
        )
    return found
