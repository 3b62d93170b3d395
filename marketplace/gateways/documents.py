"""PDF documents; the only importer of `typst`.

Templates stand in `documents/`; values reach them as one JSON input, never as source text, so nothing a person typed
is ever read as markup. The result is PDF/A-2b and the same bytes for the same values and time.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst

from marketplace.kernel.errors import Unavailable

_ROOT = Path(__file__).parents[2]
TEMPLATES = _ROOT / "documents"
FONTS = _ROOT / "build" / "fonts"


#: What a document can be made to keep to.
Standard = Literal["a-2b", "a-2a", "ua-1"]


class DocumentFailed(Unavailable):
    """The document could not be made now: the template or the fonts are broken or missing."""


def make_pdf(
    template: str, values: Mapping[str, Any], moment: datetime, *, standards: Sequence[Standard] = ("a-2b",)
) -> bytes:
    """The PDF of `documents/<template>.typ` with `values` (JSON), stamped with `moment`.

    `standards` are those it keeps: PDF/A, and "ua-1" where the template is made for screen readers.

    Raises DocumentFailed when the fonts have not been built or the template does not compile.
    """
    source = TEMPLATES / f"{template}.typ"
    if not any(FONTS.glob("*.ttf")):
        raise DocumentFailed("fonts_missing", "The fonts for documents have not been built.")
    try:
        made = typst.compile(
            source,
            root=TEMPLATES,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=[*standards],
            sys_inputs={"values": json.dumps(values, ensure_ascii=False)},
            timestamp=moment.replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise DocumentFailed("document_failed", "The document could not be made.") from error
    if not isinstance(made, bytes):
        raise DocumentFailed("document_failed", "The document could not be made.")
    return made
