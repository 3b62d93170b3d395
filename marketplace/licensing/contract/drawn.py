"""Drawn signatures: strokes as the path data of an SVG, taken from the page and trusted in nothing."""

import re

from marketplace.kernel.errors import Invalid

#: The pad's own units; the page scales to them whatever the size of the screen.
WIDTH, HEIGHT = 600, 200
MAX_CHARS = 20_000
MIN_POINTS = 8
_NUMBER = r"(?:\d{1,3}(?:\.\d)?)"
_PATH = re.compile(rf"(?:M{_NUMBER} {_NUMBER}(?:L{_NUMBER} {_NUMBER})*)+")
_POINT = re.compile(rf"({_NUMBER}) ({_NUMBER})")


def checked(path: str) -> str:
    """The path data of a drawn signature: moves and lines inside the pad, enough of them to be a drawing.

    Raises Invalid for anything else: other commands, points outside, a dot, more than a signature can be.
    """
    words = "This is not a signature. Draw it again, or type your name."
    refusal = Invalid("bad_drawing", words, fields={"drawn": words})
    if len(path) > MAX_CHARS or _PATH.fullmatch(path) is None:
        raise refusal
    points = [(float(x), float(y)) for x, y in _POINT.findall(path)]
    if any(x > WIDTH or y > HEIGHT for x, y in points):
        raise refusal
    across = max(x for x, _y in points) - min(x for x, _y in points)
    down = max(y for _x, y in points) - min(y for _x, y in points)
    if len(points) < MIN_POINTS or max(across, down) < 20:
        words = "Draw a little more, so that it can be told from a dot; or type your name."
        raise Invalid("bad_drawing", words, fields={"drawn": words})
    return path


def svg(path: str) -> str:
    """A checked path as a picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{path}" fill="none" stroke="#1c1a17" stroke-width="3" stroke-linecap="round"'
        ' stroke-linejoin="round"/></svg>'
    )
