"""The photo task of the child: verify, decode once, write derivatives, report."""

from pathlib import Path

from ai_pipeline.errors import N_
from ai_pipeline.imaging.derivatives import average_color, placeholder, write_derivatives
from ai_pipeline.imaging.pixels import decode, fit
from ai_pipeline.imaging.report import Note, PhotoReport
from ai_pipeline.imaging.verify import verify

# Below this a photo fills neither a page nor a print: 1200 px is the width of a product page.
WANTED_EDGE = 1200


def inspect(path: str, filename: str, declared_type: str, out_dir: str) -> PhotoReport:
    """Read the photo at `path`, write its derivatives into `out_dir`. Raises Unreadable."""
    header = verify(Path(path), filename, declared_type)
    image, profile_unused = decode(Path(path), header)
    width, height = header.width, header.height
    if (width >= height) != (image.width >= image.height):
        width, height = height, width
    warnings = []
    if max(width, height) < WANTED_EDGE:
        warnings.append(
            Note(
                code="too_small",
                message=N_("The photo is %(width)s x %(height)s pixels; %(wanted)s on the long side look sharp."),
                params={"width": width, "height": height, "wanted": WANTED_EDGE},
            )
        )
    if profile_unused:
        warnings.append(
            Note(code="profile_unused", message=N_("The color profile could not be used; colors may differ."))
        )
    derivatives = write_derivatives(image, Path(out_dir))
    tiny = fit(image, 64, 64)
    return PhotoReport(
        format=header.format,
        width=width,
        height=height,
        megapixels=round(header.width * header.height / 1_000_000, 2),
        has_alpha=image.mode == "RGBA",
        average_color=average_color(tiny),
        placeholder=placeholder(tiny),
        derivatives=derivatives,
        warnings=warnings,
    )
