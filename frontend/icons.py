"""Draw the icon sprite: the picked Lucide icons and the house's own marks as <symbol>s of one SVG file."""

import re
from pathlib import Path

from frontend.failures import BuildError

_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def icon_names(listing: str) -> list[str]:
    """Names in `listing`, one or more a line; lines that start with # are remarks."""
    lines = (line for line in listing.splitlines() if not line.lstrip().startswith("#"))
    return sorted({name for line in lines for name in line.split()})


def build_sprite(listing: Path, library: Path, own: Path) -> str:
    """SVG text with a <symbol> for each name in `listing` (from `library`) and each file in `own`, 24 x 24 units.

    Raises BuildError for a name the library does not have.
    """
    files = {name: library / f"{name}.svg" for name in icon_names(listing.read_text(encoding="utf-8"))}
    files |= {path.stem: path for path in sorted(own.glob("*.svg"))}
    symbols = []
    for name, path in sorted(files.items()):
        if not path.exists():
            raise BuildError(f"There is no icon named {name!r}; see frontend/icons.txt.")
        body = _BODY.search(path.read_text(encoding="utf-8"))
        if body is None:
            raise BuildError(f"{path} is not an SVG drawing.")
        drawing = re.sub(r"\s+", " ", body[1]).replace("> <", "><").strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'
