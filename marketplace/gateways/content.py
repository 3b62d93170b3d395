"""What the pipeline knows and does, as the marketplace uses it; with the workers the only importer of `ai_pipeline`."""

from ai_pipeline.cad.alloys import ALLOYS

#: Alloy code -> English label (translated where it is shown).
ALLOY_LABELS: dict[str, str] = {code: alloy.label for code, alloy in ALLOYS.items()}


def check_claims(text: str, facts: dict[str, object]) -> list[dict[str, object]]:
    return []
