"""The propose task of the child: steps that make a studio photo even, found by measuring its ground and its piece."""

import math
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from ai_pipeline.errors import N_
from ai_pipeline.imaging import adjust
from ai_pipeline.imaging.color import LUMINANCE, lab, linear
from ai_pipeline.imaging.edit import place, shift, tone_of
from ai_pipeline.imaging.matting import Matte, find_piece, work_copy
from ai_pipeline.imaging.pixels import decode
from ai_pipeline.imaging.report import Note, ProposalReport
from ai_pipeline.imaging.stack import COLOR_LIMIT, SHAPES, Crop, Exposure, Stack, Step, Straighten, WhiteBalance
from ai_pipeline.imaging.verify import verify

#: A ground more colorful than this (chroma in Lab) was meant to be colored, and tells nothing about the light.
_NEUTRAL = 14.0
#: A light ground is brought to this light (0..1), short of burning out.
_WHITE, _LIGHT_GROUND = 0.9, 0.35
#: Air around the piece, as a part of its longer side.
_AIR = 0.12
#: A piece this much longer than wide has a direction; it is set upright or level when it is nearly so.
_LONG, _NEARLY = 1.8, 8.0


def propose(path: str, filename: str, declared_type: str, out_dir: str) -> ProposalReport:
    """Steps for the photo at `path` that move the color of the piece by no more than COLOR_LIMIT. Raises Unreadable."""
    del out_dir
    image, _ = decode(Path(path), verify(Path(path), filename, declared_type), 0.5)
    small = work_copy(image)
    matte = find_piece(small)
    steps: list[Step] = []
    notes: list[Note] = []
    if not matte.sure:
        notes.append(
            Note(
                code="piece_not_found",
                message=N_("The piece could not be told from its ground, so nothing is proposed for this photo."),
            )
        )
        return ProposalReport(steps=[], confidence=matte.confidence, notes=notes)
    steps += _level(matte)
    cut = _cut(small, Stack(steps=steps))
    if cut is not None:
        steps.append(cut)
    tones = _tones(small, matte)
    held = _held_back(small, matte, tones)
    if tones and held < 1:
        notes.append(
            Note(
                code="held_back",
                message=N_("Light and color were corrected by %(percent)s %% only, so that the piece keeps its color."),
                params={"percent": round(held * 100)},
            )
        )
    steps += _scaled(tones, held)
    found = Stack(steps=steps)
    return ProposalReport(steps=[step.model_dump() for step in found.steps], confidence=matte.confidence, notes=notes)


def _level(matte: Matte) -> list[Step]:
    """Turn a long piece that is nearly upright or level until it is."""
    y, x = np.nonzero(matte.piece)
    values, vectors = np.linalg.eigh(np.cov(np.stack([x, y])))
    if math.sqrt(values[1] / max(values[0], 1e-6)) < _LONG:
        return []
    angle = math.degrees(math.atan2(vectors[1, 1], vectors[0, 1])) % 90
    off = angle if angle <= 45 else angle - 90
    return [Straighten(angle=round(-off, 1))] if 0.4 <= abs(off) <= _NEARLY else []


def _cut(image: Image.Image, so_far: Stack) -> Crop | None:
    """A frame of the grid with the piece in its middle and air around it; the first shape that holds it whole."""
    turned = place(image, so_far)
    box = find_piece(turned).box()
    if box is None:
        return None
    width, height = turned.size
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    air = _AIR * max(right - left, bottom - top)
    for shape, ratio in sorted(SHAPES.items(), key=lambda item: item[0] != "4:5"):
        need_wide = max(right - left + 2 * air, (bottom - top + 2 * air) * ratio)
        size = need_wide / min(width, height * ratio)
        if size > 1:
            continue
        step = Crop(
            shape=shape,  # type: ignore[arg-type]
            x=round((left + right) / 2 / width, 3),
            y=round((top + bottom) / 2 / height, 3),
            size=round(max(0.2, size), 3),
        )
        frame = adjust.crop_box((width, height), step)
        if frame[0] <= left and frame[1] <= top and frame[2] >= right and frame[3] >= bottom:
            return step
    return None


def _tones(image: Image.Image, matte: Matte) -> list[Step]:
    """White balance and exposure that make the ground neutral and, if it is a light one, white."""
    pixels = np.asarray(image)
    away = ~ndimage.binary_dilation(matte.share > 0.2, iterations=4)
    ground = pixels[away]
    if len(ground) < 200:
        return []
    steps: list[Step] = []
    color = np.median(lab(ground), axis=0)
    chroma = float(np.hypot(color[1], color[2]))
    light = adjust.mean_light(ground)
    if 0.8 < chroma < _NEUTRAL and max(np.median(ground, axis=0)) < 254:
        warmth, tint = adjust.shades_for(light)
        steps.append(WhiteBalance(warmth=round(warmth, 1), tint=round(tint, 1)))
    luminance = sum(weight * value for weight, value in zip(LUMINANCE, light, strict=True))
    if luminance > _LIGHT_GROUND:
        # The brightest of the piece bounds it as well: a highlight that burns out has lost its metal.
        bright = float(np.percentile(linear(pixels[matte.piece].max(axis=-1).astype(np.float32) / 255), 98))
        stops = min(math.log2(_WHITE / luminance), math.log2(1.05 / max(bright, 0.05)))
        if stops > 0.05:
            steps.append(Exposure(stops=round(min(1.0, stops), 2)))
    return steps


def _held_back(image: Image.Image, matte: Matte, tones: list[Step]) -> float:
    """The largest share of the correction (0..1) that keeps the color of the piece within its limit."""
    low, high = 0.0, 1.0
    if _moved(image, matte, tones, 1.0) <= COLOR_LIMIT:
        return 1.0
    for _ in range(7):
        middle = (low + high) / 2
        if _moved(image, matte, tones, middle) <= COLOR_LIMIT:
            low = middle
        else:
            high = middle
    return low


def _moved(image: Image.Image, matte: Matte, tones: list[Step], share: float) -> float:
    stack = Stack(steps=_scaled(tones, share))
    after = image
    for kind in ("white_balance", "exposure"):
        after = adjust.tone(after, *tone_of(stack, kind))
    return shift(image, after, matte).moved


def _scaled(tones: list[Step], share: float) -> list[Step]:
    """The corrections at a share of their strength; those that come to nothing are left out."""
    found: list[Step] = []
    for step in tones:
        if isinstance(step, WhiteBalance):
            weak = WhiteBalance(warmth=_toward_zero(step.warmth * share, 1), tint=_toward_zero(step.tint * share, 1))
            if weak.warmth or weak.tint:
                found.append(weak)
        elif isinstance(step, Exposure) and (stops := _toward_zero(step.stops * share, 2)):
            found.append(Exposure(stops=stops))
    return found


def _toward_zero(value: float, digits: int) -> float:
    """Rounded so that it never grows."""
    scale = 10**digits
    return float(math.trunc(value * scale) / scale)
