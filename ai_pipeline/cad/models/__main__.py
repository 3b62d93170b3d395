"""Export the CAD of our own models or take their pictures.

python -m ai_pipeline.cad.models export DIR [SLUG ...]
python -m ai_pipeline.cad.models pictures DIR [SLUG ...]
"""

import argparse
import sys
from pathlib import Path

from ai_pipeline.cad.models import pictures
from ai_pipeline.cad.models.export import export_glb, export_stl
from ai_pipeline.cad.models.registry import PIECES


def main(arguments: list[str] | None = None) -> int:
    """Run the command; unknown slugs are refused by the parser."""
    parser = argparse.ArgumentParser(prog="python -m ai_pipeline.cad.models")
    parser.add_argument("command", choices=("export", "pictures"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("slugs", nargs="*", metavar="slug", help="default: all; 'banner' and 'square' for pictures")
    options = parser.parse_args(arguments)
    extra = {"banner": pictures.banner, "square": pictures.square} if options.command == "pictures" else {}
    unknown = set(options.slugs) - set(PIECES) - set(extra)
    if unknown:
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for slug in options.slugs or [*PIECES, *extra]:
        if slug in extra:
            extra[slug](options.folder / f"{slug}.webp")
        elif options.command == "export":
            piece = PIECES[slug].build()
            export_stl(piece, options.folder / f"{slug}.stl")
            export_glb(piece, options.folder / f"{slug}.glb", alloy=PIECES[slug].metals[0])
        else:
            pictures.shoot(PIECES[slug], options.folder)
        sys.stdout.write(f"{slug}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
