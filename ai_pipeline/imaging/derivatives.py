"""Clean web images from decoded pixels:
a shrinking chain, encoded as AVIF, WebP and JPEG, plus a placeholder and a mean color.
"""

import base64
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from ai_pipeline.imaging.pixels import MAX_EDGE, WIDTHS, fit
from ai_pipeline.imaging.report import Derivative

PLACEHOLDER_CHARACTERS = 400
# By measurement on a 12 MP photo (bench/photos.py): a slower AVIF or WebP setting takes three times as long for 5 %.
ENCODERS: dict[str, tuple[str, str, dict[str, int | bool]]] = {
    "avif": ("AVIF", "image/avif", {"quality": 62, "speed": 8, "max_threads": 1}),
    "webp": ("WEBP", "image/webp", {"quality": 82, "method": 2}),
    "jpg": ("JPEG", "image/jpeg", {"quality": 84, "optimize": True, "progressive": True}),
}
WHITE = (255, 255, 255)


def write_derivatives(image: Image.Image, out_dir: Path) -> list[Derivative]:
    """Write `w<width>.avif`, `.webp` and `.jpg` for each of WIDTHS that is not larger than the image, largest first.

    Each size is made from the one before it. JPEG has no transparency: it is laid on white.
    """
    sizes = []
    current = image
    for width in sorted({min(width, image.width) for width in WIDTHS}, reverse=True):
        current = fit(current, width, MAX_EDGE)
        sizes.append((width, current))
    jobs = [(width, picture, extension) for width, picture in sizes for extension in ENCODERS]
    # The encoders let go of the interpreter's lock: two at a time use both cores of a small worker.
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda job: write_one(out_dir, job[1], f"w{job[0]}", job[2]), jobs))


def write_one(out_dir: Path, image: Image.Image, name: str, extension: str) -> Derivative:
    """Write `<name>.<extension>`, encoded as ENCODERS says."""
    codec, media_type, options = ENCODERS[extension]
    picture = flatten(image) if codec == "JPEG" else image
    data = encode(picture, codec, options)
    target = out_dir / f"{name}.{extension}"
    target.write_bytes(data)
    return Derivative(
        name=target.name,
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def encode(image: Image.Image, name: str, options: dict[str, int | bool]) -> bytes:
    """Encode with nothing but pixels: no profile (sRGB is implied), no EXIF, no comments."""
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def flatten(image: Image.Image) -> Image.Image:
    """The image on white, as RGB."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, WHITE)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def placeholder(image: Image.Image) -> str:
    """A data: URL of a WebP so small that it can stand in the page until the picture comes."""
    for edge in (24, 16, 12, 8, 4):
        scale = edge / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        data = encode(flatten(image).resize(size), "WEBP", {"quality": 20, "method": 4})
        url = "data:image/webp;base64," + base64.b64encode(data).decode()
        if len(url) <= PLACEHOLDER_CHARACTERS:
            return url
    return ""


def average_color(image: Image.Image) -> str:
    """Mean color on white as #rrggbb."""
    red, green, blue = flatten(image).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # type: ignore[misc]
    return f"#{red:02x}{green:02x}{blue:02x}"
