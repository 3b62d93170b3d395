"""Decode one image within bounded memory to 8-bit sRGB, upright, without metadata."""

import io
from pathlib import Path

import pi_heif
from PIL import Image, ImageCms, ImageOps
from PIL.Image import Resampling

from ai_pipeline.errors import Unreadable
from ai_pipeline.imaging.headers import Header
from ai_pipeline.imaging.verify import MAX_PIXELS

#: Widths of the web sizes, pixels, and the longest edge that any of them may have.
WIDTHS = (2000, 1200, 640, 320)
MAX_EDGE = 3000
MAX_PROFILE = 4 << 20
STRIP_PIXELS = 8_000_000
ORIENTATION = 0x0112
SRGB_CODED = ("RGB", "RGBA")


def web_size(width: int, height: int) -> tuple[int, int]:
    """The largest web picture of an image of this size, in pixels."""
    scale = min(1.0, max(WIDTHS) / width, MAX_EDGE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def decode(path: Path, header: Header, spare: float = 1.0) -> tuple[Image.Image, bool]:
    """(RGB or RGBA image, whether a color profile could not be used).

    The image is at least `spare` times as large as its largest web size, and less than twice that where the file is
    larger: a JPEG is made smaller while it is read.

    Raises Unreadable `damaged` for anything the decoder cannot finish, `unsupported_pixels` for floating point samples.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    if header.format == "HEIF":
        pi_heif.register_heif_opener(thumbnails=False)
    try:
        with Image.open(path, formats=[header.format]) as image:
            if image.size[0] * image.size[1] > MAX_PIXELS:
                raise Unreadable("damaged", detail="its header and its data differ in size")
            profile = image.info.get("icc_profile")
            orientation = image.getexif().get(ORIENTATION, 1)
            wanted = _wanted(image.size, orientation, spare)
            if header.format == "JPEG":
                image.draft(image.mode, wanted)
            small = _shrink(_eight_bit(_first_frame(image)), wanted)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # eight exception types escape from hostile images
        raise Unreadable("damaged", detail=type(error).__name__) from None
    small, unused = _to_srgb(small, profile)
    if header.format not in ("HEIF", "AVIF"):  # those decoders have already turned the picture
        small = _turn(small, orientation)
    return small, unused


def _wanted(size: tuple[int, int], orientation: object, spare: float) -> tuple[int, int]:
    """How large the pixels must be, as they are stored (before orientation)."""
    turned = orientation in range(5, 9)
    width, height = web_size(*(size[::-1] if turned else size))
    width, height = min(size[turned], round(width * spare)), min(size[not turned], round(height * spare))
    return (height, width) if turned else (width, height)


def _first_frame(image: Image.Image) -> Image.Image:
    image.load()
    return image


def _eight_bit(image: Image.Image) -> Image.Image:
    """Samples of 8 bits: 16-bit gray is scaled, not clipped to white; palettes and bits become colors."""
    if image.mode in ("RGB", "RGBA", "L", "CMYK", "LAB"):
        return image
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 257)).convert("L")
    if image.mode == "I":
        return image.point(lambda value: value * (1 / 257)).convert("L")
    if image.mode == "F":
        raise Unreadable("unsupported_pixels", mode="32-bit floating point")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    if image.mode in ("LA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode in ("1", "YCbCr", "HSV", "RGBX"):
        return image.convert("RGB")
    raise Unreadable("unsupported_pixels", mode=image.mode)


def _shrink(image: Image.Image, wanted: tuple[int, int]) -> Image.Image:
    """Halve, third ... in strips, never below `wanted`, so that no second full-size copy exists."""
    factor = min(image.width // wanted[0], image.height // wanted[1])
    if factor <= 1:
        return image.copy()
    width, height = image.size
    result = Image.new(image.mode, (-(-width // factor), -(-height // factor)))
    rows = max(1, STRIP_PIXELS // width // factor) * factor
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        result.paste(strip.reduce((min(factor, strip.width), min(factor, strip.height))), (0, top // factor))
    return result


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bool]:
    """Convert by the embedded profile; True beside the image when there was one that could not be used."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    base = image.convert("RGB") if image.mode == "RGBA" else image
    unused = False
    if isinstance(profile, bytes) and profile:
        try:
            if len(profile) > MAX_PROFILE:
                raise ValueError("profile too large")
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(base, source, target, outputMode="RGB")
            base = converted if converted is not None else base
        except (ImageCms.PyCMSError, ValueError, OSError):
            unused = True
    if base.mode != "RGB":
        base = base.convert("RGB")
    if alpha is not None:
        base.putalpha(alpha)
    base.info = {}
    return base, unused


def _turn(image: Image.Image, orientation: object) -> Image.Image:
    if orientation not in range(2, 9):
        return image
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image.info["exif"] = exif.tobytes()
    turned = ImageOps.exif_transpose(image)
    turned.info = {}
    return turned


def fit(image: Image.Image, width: int, max_edge: int) -> Image.Image:
    """A copy `width` pixels wide, or smaller so that no edge passes `max_edge`; never enlarged."""
    scale = min(1.0, width / image.width, max_edge / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Resampling.LANCZOS, reducing_gap=2.0)
