"""The single edits of a photo: pure functions from image to image."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ai_pipeline.imaging.color import LUMINANCE, Floats, coded, linear
from ai_pipeline.imaging.matting import Matte, alpha_at
from ai_pipeline.imaging.stack import SHAPES, Crop

#: Light above this is bent towards white instead of cut off when a picture is made lighter.
_SHOULDER = 0.8
#: The longest speck, as a part of the picture's long edge: larger marks are not dust.
_SPECK = 0.006
GROUNDS: dict[str, tuple[int, int, int]] = {"white": (255, 255, 255), "cream": (246, 243, 236), "gray": (226, 226, 226)}


def straighten(image: Image.Image, angle: float) -> Image.Image:
    """Turned clockwise by `angle` degrees and cut to the largest upright part of the same shape that has no gaps."""
    radians = math.radians(abs(angle))
    width, height = image.size
    shrink = min(
        width / (width * math.cos(radians) + height * math.sin(radians)),
        height / (width * math.sin(radians) + height * math.cos(radians)),
    )
    turned = image.rotate(-angle, Image.Resampling.BICUBIC)
    wide, high = math.floor(width * shrink), math.floor(height * shrink)
    left, top = (width - wide) // 2, (height - high) // 2
    return turned.crop((left, top, left + wide, top + high))


def crop_box(size: tuple[int, int], crop: Crop) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels; a frame that would reach beyond the picture is moved back into it."""
    shape = SHAPES[crop.shape]
    width, height = size
    wide = min(width, height * shape) * crop.size
    high = wide / shape
    left = min(max(crop.x * width - wide / 2, 0), width - wide)
    top = min(max(crop.y * height - high / 2, 0), height - high)
    return round(left), round(top), max(round(left) + 1, round(left + wide)), max(round(top) + 1, round(top + high))


def gains(warmth: float, tint: float) -> tuple[float, float, float]:
    """What red, green and blue light are multiplied with; a gray keeps its luminance."""
    red, green, blue = 2 ** (warmth / 400), 2 ** (-tint / 200), 2 ** (-warmth / 400)
    level = sum(weight * gain for weight, gain in zip(LUMINANCE, (red, green, blue), strict=True))
    return red / level, green / level, blue / level


def shades_for(light: tuple[float, float, float]) -> tuple[float, float]:
    """(warmth, tint) that make a ground of this linear color gray, within what the steps may say."""
    red, green, blue = (max(value, 1e-4) for value in light)
    warmth = 200 * math.log2(blue / red)
    tint = 200 * math.log2(green / math.sqrt(red * blue))
    return max(-100.0, min(100.0, warmth)), max(-100.0, min(100.0, tint))


def tone(image: Image.Image, channel_gains: tuple[float, float, float], stops: float) -> Image.Image:
    """Light multiplied channel by channel and by 2**stops; transparency stays."""
    levels = linear((np.arange(256) / 255).astype(np.float32))
    table: list[int] = []
    for gain in channel_gains:
        light = levels * gain * 2**stops
        if stops > 0:
            over = light > _SHOULDER
            light[over] = _SHOULDER + (1 - _SHOULDER) * (1 - np.exp(-(light[over] - _SHOULDER) / (1 - _SHOULDER)))
        table += np.rint(coded(light) * 255).astype(int).tolist()
    bands = 4 if image.mode == "RGBA" else 3
    return image.point(table + (list(range(256)) if bands == 4 else []))


def specks(image: Image.Image, matte: Matte, strength: int) -> NDArray[np.bool_]:
    """Small marks on the ground, well away from the piece, as a mask of the image's size."""
    light = np.asarray(image.convert("L"), dtype=np.float32)
    reach = max(2.0, _SPECK * max(image.size))
    even = ndimage.gaussian_filter(light, reach)
    off = np.abs(light - even)
    far = ~ndimage.binary_dilation(matte.piece, iterations=max(3, round(4 * _SPECK * max(matte.share.shape))))
    room = np.asarray(Image.fromarray(far).resize(image.size, Image.Resampling.NEAREST))
    if not room.any():
        return np.zeros_like(room)
    noise = 1.4826 * float(np.median(off[room][::7])) + 0.5
    marks = room & (off > noise * (14 - 0.1 * strength))
    labels, count = ndimage.label(ndimage.binary_dilation(marks, iterations=1))
    keep = np.zeros(count + 1, bool)
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        high, wide = (side.stop - side.start for side in place)
        keep[number] = max(high, wide) <= 2 * reach + 4
    found: NDArray[np.bool_] = keep[labels] & ndimage.binary_dilation(room, iterations=2)
    return found


def without_specks(image: Image.Image, found: NDArray[np.bool_]) -> Image.Image:
    """The image with those marks filled from their surroundings."""
    if not found.any():
        return image
    pixels = np.asarray(image).copy()
    wide = ndimage.binary_dilation(found, iterations=2)
    labels, _ = ndimage.label(wide)
    margin = max(6, round(_SPECK * max(image.size)))
    for place in ndimage.find_objects(labels):
        rows = slice(max(0, place[0].start - margin), place[0].stop + margin)
        columns = slice(max(0, place[1].start - margin), place[1].stop + margin)
        part, hole = pixels[rows, columns], wide[rows, columns]
        weight = ndimage.gaussian_filter((~hole).astype(np.float32), margin / 2) + 1e-6
        for band in range(3):
            known = np.where(hole, 0, part[..., band]).astype(np.float32)
            filled = ndimage.gaussian_filter(known, margin / 2) / weight
            part[..., band] = np.where(hole, np.clip(np.rint(filled), 0, 255), part[..., band])
    return Image.fromarray(pixels, image.mode)


def cut_out(image: Image.Image, matte: Matte, old_ground: Image.Image, ground: str) -> Image.Image:
    """The piece on an even ground. `old_ground` (any size) is taken out of half-covered pixels."""
    alpha = alpha_at(image, matte)
    rgb = image.convert("RGB")
    pixels = np.asarray(rgb).copy()
    edge = (alpha > 0.02) & (alpha < 0.98)
    share = alpha[edge][:, None]
    old = np.asarray(old_ground.resize(image.size, Image.Resampling.BILINEAR))[edge].astype(np.float32)
    pure = (pixels[edge] - (1 - share) * old) / np.maximum(share, 0.1)
    pixels[edge] = np.clip(np.rint(pure), 0, 255).astype(np.uint8)
    cut = Image.fromarray(pixels).convert("RGBA")
    cut.putalpha(Image.fromarray(np.rint(alpha * 255).astype(np.uint8)))
    if image.mode == "RGBA":
        both = np.minimum(np.asarray(cut.getchannel("A")), np.asarray(image.getchannel("A")))
        cut.putalpha(Image.fromarray(both))
    if ground == "transparent":
        return cut
    plain = Image.new("RGB", cut.size, GROUNDS[ground])
    plain.paste(cut, mask=cut.getchannel("A"))
    return plain


def mean_light(pixels: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Median color of (n, 3) pixels as linear light."""
    middle: Floats = linear(np.median(pixels, axis=0).astype(np.float32) / 255)
    return float(middle[0]), float(middle[1]), float(middle[2])
