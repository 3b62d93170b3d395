"""The mark task of the child: a picture with the name of the one who may see it across it, so that a leak has a source.

It discourages and it names; it is no lock: whoever has skill and time can paint it out.
"""

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ai_pipeline.imaging.derivatives import encode, flatten
from ai_pipeline.imaging.pixels import decode
from ai_pipeline.imaging.report import MarkReport
from ai_pipeline.imaging.verify import verify

NAME = "marked.webp"
_ANGLE = 30
#: How strongly the letters show, 0 to 255: readable on light and dark, without hiding the piece.
_STRENGTH = 58
_LETTERS = 0.032


def mark(path: str, filename: str, declared_type: str, out_dir: str, text: str) -> MarkReport:
    """Write `marked.webp`, the picture at `path` with `text` across it, into `out_dir`. Raises Unreadable."""
    image, _ = decode(Path(path), verify(Path(path), filename, declared_type))
    picture = flatten(image)
    picture = across(picture, text)
    data = encode(picture, "WEBP", {"quality": 80, "method": 2})
    (Path(out_dir) / NAME).write_bytes(data)
    return MarkReport(name=NAME, width=picture.width, height=picture.height, bytes=len(data))


def across(picture: Image.Image, text: str) -> Image.Image:
    """`text` in slanted rows over all of an RGB picture, each letter light with a dark edge."""
    font = ImageFont.load_default(max(11, round(_LETTERS * max(picture.size))))
    line = f"{text}      "
    left, top, right, bottom = font.getbbox(line)
    wide, high = max(1, round(right - left)), max(1, round(bottom - top))
    side = math.ceil(math.hypot(*picture.size))
    sheet = Image.new("LA", (side, side), (0, 0))
    draw = ImageDraw.Draw(sheet)
    for row, y in enumerate(range(0, side, round(high * 4.5))):
        for x in range(-round(wide * (row % 2) / 2) - wide, side, wide):
            draw.text((x + 1, y + 1), line, font=font, fill=(0, _STRENGTH))
            draw.text((x, y), line, font=font, fill=(255, 2 * _STRENGTH))
    sheet = sheet.rotate(_ANGLE, Image.Resampling.BILINEAR)
    x, y = (side - picture.width) // 2, (side - picture.height) // 2
    over = sheet.crop((x, y, x + picture.width, y + picture.height))
    out = picture.copy()
    out.paste(over.getchannel("L").convert("RGB"), mask=over.getchannel("A"))
    return out
