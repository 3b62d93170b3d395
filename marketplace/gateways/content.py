"""What the pipeline knows, as the pages use it: alloys and the check of claims. Nothing here calls a model.

The calls themselves are made by the workers (`workers/models.py`), because the vendor's library costs every process
that loads it a second and some 45 MB, and no page ever waits for a model.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ai_pipeline.cad.alloys import ALLOYS
from ai_pipeline.cad.studio.looks import LOOKS as _LOOKS
from ai_pipeline.cad.studio.materials import finish_of
from ai_pipeline.content.claims import check_claims as _check
from ai_pipeline.content.language import detect_language as _detect
from ai_pipeline.content.subject import KnownFact

#: Alloy code -> English label (translated where it is shown).
ALLOY_LABELS: dict[str, str] = {code: alloy.label for code, alloy in ALLOYS.items()}
#: The names of the looks the picture studio knows, the house look first.
LOOKS: tuple[str, ...] = tuple(_LOOKS)
__all__ = ["ALLOY_LABELS", "LOOKS", "check_claims", "detect_language", "finding_json", "finish_of"]


def check_claims(
    text: str, facts: Iterable[Mapping[str, Any]], *, language: str = "en", known_text: str = ""
) -> list[dict[str, Any]]:
    """What `text` claims without one of `facts` ({name, value, unit, source}) to rest on.

    Each finding is {code, severity, text, message, params, blocked}; `blocked` ones must be edited away.
    """
    known = [KnownFact(**fact) for fact in facts]
    found = _check(text, known, language=language, known_text=known_text)
    return [finding_json(item.model_dump()) for item in found]


def finding_json(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding of the pipeline as it is kept beside a draft."""
    return {**finding, "blocked": finding["severity"] == "block"}


def detect_language(text: str) -> str | None:
    """Which language a text is in (a locale code of ours, or ISO 639), None when nothing tells."""
    return _detect(text)
