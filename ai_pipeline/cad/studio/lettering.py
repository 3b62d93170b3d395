"""Numbers and lines drawn on a picture: dimension lines and legends, the same in every language."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

INK = (58, 54, 50)
SHARPER = 3
"""Drawn this much larger and reduced, for smooth lines."""


class Lettering:
    """A transparent sheet over a picture; positions are pixels of the picture."""

    def __init__(self, size: tuple[int, int]) -> None:
        """A sheet for a picture of ``size`` (width, height)."""
        self._size = size
        self._sheet = Image.new("RGBA", (size[0] * SHARPER, size[1] * SHARPER), (*INK, 0))
        self._draw = ImageDraw.Draw(self._sheet)
        self.text_height = max(size[0] / 42, 10.0)
        self._font = ImageFont.load_default(self.text_height * SHARPER)

    def line(self, a: npt.ArrayLike, b: npt.ArrayLike, width: float = 1.4) -> None:
        """A straight line."""
        (ax, ay), (bx, by) = np.asarray(a, float) * SHARPER, np.asarray(b, float) * SHARPER
        self._draw.line((ax, ay, bx, by), fill=(*INK, 255), width=round(width * SHARPER))

    def text(self, at: npt.ArrayLike, words: str, anchor: str = "mm", color: tuple[int, int, int] = INK) -> None:
        """Words at a position; ``anchor`` as Pillow has it."""
        x, y = np.asarray(at, float) * SHARPER
        self._draw.text((x, y), words, fill=(*color, 255), font=self._font, anchor=anchor)

    def dimension(self, a: npt.ArrayLike, b: npt.ArrayLike, words: str, side: npt.ArrayLike) -> None:
        """A dimension line from ``a`` to ``b`` with ticks; the words stand off it on the given ``side`` (a vector)."""
        start, end, off = np.asarray(a, float), np.asarray(b, float), np.asarray(side, float)
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
        tick = np.array([-along[1], along[0]]) * self.text_height * 0.45
        self.line(start, end)
        for point in (start, end):
            self.line(point - tick, point + tick)
        off = off / max(float(np.linalg.norm(off)), 1e-6)
        anchor = ("rm" if off[0] < 0 else "lm") if abs(off[0]) > abs(off[1]) else ("mt" if off[1] > 0 else "mb")
        self.text((start + end) / 2 + off * self.text_height * 0.7, words, anchor)

    def box(self, low: npt.ArrayLike, high: npt.ArrayLike, color: tuple[int, int, int]) -> None:
        """A filled rectangle."""
        (ax, ay), (bx, by) = np.asarray(low, float) * SHARPER, np.asarray(high, float) * SHARPER
        self._draw.rectangle((ax, ay, bx, by), fill=(*color, 255))

    def over(self, picture: Image.Image) -> Image.Image:
        """The picture with everything drawn on it."""
        sheet = self._sheet.resize(self._size, Image.Resampling.LANCZOS)
        return Image.alpha_composite(picture.convert("RGBA"), sheet).convert("RGB")
