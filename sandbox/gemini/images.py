"""Image replies: the photo that was sent, evened out a little and marked, or a plain marked card."""

import io

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

#: Long edge of a reply, in pixels.
_LONG = 1024
_MOST_PIXELS = 50_000_000


def enhanced(images: list[bytes], aspect_ratio: str) -> bytes:
    """A PNG of the first readable image with levels evened and `SANDBOX` in a corner."""
    picture = next((found for data in images if (found := _open(data)) is not None), None)
    if picture is None:
        picture = Image.new("RGB", _size(aspect_ratio), (236, 231, 221))
    else:
        picture = ImageOps.autocontrast(picture, cutoff=0.5)
        picture.thumbnail((_LONG, _LONG))
        if aspect_ratio:
            picture = ImageOps.pad(picture, _size(aspect_ratio), color=(250, 247, 241))
    draw = ImageDraw.Draw(picture)
    edge = max(10, picture.width // 60)
    draw.rectangle((0, picture.height - 2 * edge, 8 * edge, picture.height), fill=(243, 227, 184))
    draw.text((edge // 2, picture.height - 2 * edge + edge // 3), "SANDBOX", fill=(76, 58, 8), font_size=edge)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _open(data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return None
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, IndexError, TypeError, MemoryError):
        return None
    except Image.DecompressionBombError:
        return None


def _size(aspect_ratio: str) -> tuple[int, int]:
    width, _, height = aspect_ratio.partition(":")
    if not (width.isdigit() and height.isdigit() and 0 < int(width) <= 32 and 0 < int(height) <= 32):
        return _LONG, _LONG
    w, h = int(width), int(height)
    scale = _LONG / max(w, h)
    return max(1, round(w * scale)), max(1, round(h * scale))
