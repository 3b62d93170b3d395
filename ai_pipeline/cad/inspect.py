"""The CAD task of the child: weld, measure, write the public preview and the owner's own view."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ai_pipeline.cad.bore import find_bore
from ai_pipeline.cad.findings import finding
from ai_pipeline.cad.load import Loaded
from ai_pipeline.cad.measure import Measured, measure
from ai_pipeline.cad.parts import Parts, seen_bodies
from ai_pipeline.cad.preview import write_preview
from ai_pipeline.cad.report import CadReport, Fact, SeenLayer, UnitReport
from ai_pipeline.cad.solids import joined, shells_of
from ai_pipeline.cad.studio_mesh import write_studio
from ai_pipeline.cad.units import Units, report_units

PREVIEW_NAME = "preview.glb"
STUDIO_NAME = "studio.glb"
# Confidence in a volume that was not read from the author's own surfaces.
ESTIMATED = 0.6


def inspect(
    prepared: Loaded,
    out_dir: str,
    say: Callable[[str, Any], None],
    choices: Mapping[str, Any] | None = None,
    **_arguments: object,
) -> CadReport:
    """Measure a CAD file that was read; write `preview.glb` and `studio.glb` into `out_dir`. Raises Unreadable.

    `say("facts", ...)` tells the first facts as soon as they are known.
    """
    kind = prepared.kind
    notes = [finding(code, **params) for code, params in prepared.notes]
    layers = [SeenLayer(**vars(layer)) for layer in prepared.layers]
    if not prepared.bodies:
        return CadReport(
            format=kind.name,
            status="stored",
            facts=[],
            findings=[finding("nothing_shown"), *notes],
            bodies=seen_bodies(Parts(), prepared.hidden),
            layers=layers,
        )
    welding = shells_of(prepared.bodies, len(prepared.bodies) + len(prepared.hidden))
    measured = measure(
        welding,
        prepared.units,
        choices,
        prepared.hidden,
        first=lambda facts: say("facts", [fact.model_dump(mode="json") for fact in facts]),
    )
    _say_estimates(measured.facts, max(body.estimate for body in prepared.bodies))
    findings = [*measured.findings, *notes]
    preview = studio = None
    z_up = kind.name != "GLB"
    try:
        preview = write_preview(measured.metal, measured.stones, Path(out_dir) / PREVIEW_NAME, measured.walls)
        if prepared.units.plausible:  # before that no length is true, and this view shows lengths
            target = Path(out_dir) / STUDIO_NAME
            studio = write_studio(measured.metal, measured.stones, measured.walls, target, z_up=z_up)
    except (ValueError, ZeroDivisionError, RuntimeError):
        findings.append(finding("preview_failed"))
    return CadReport(
        format=kind.name,
        status="measured",
        facts=measured.facts,
        findings=findings,
        stones=measured.stone_sizes,
        verdicts=measured.verdicts,
        bodies=measured.bodies,
        exact=measured.exact,
        preview=preview,
        studio=studio,
        units=unit_report(prepared.units, measured),
        layers=layers,
    )


def _say_estimates(facts: list[Fact], share: float) -> None:
    """Where some body could not be read from its author's surfaces, volume and weights are that much less certain."""
    for fact in facts if share else ():
        if fact.name == "volume" or fact.name.startswith("weight_"):
            fact.method, fact.confidence = "estimate: " + fact.method, min(fact.confidence, ESTIMATED)
            if isinstance(fact.value, int | float):
                fact.tolerance = max(fact.tolerance or 0.0, round(share * fact.value, 3))


def unit_report(units: Units, measured: Measured) -> UnitReport:
    """What the piece would be in each unit; where the unit is in doubt, its bore is sought at the scale that fits."""
    facts = {fact.name: fact.value for fact in measured.facts}
    diameter, volume = facts.get("inner_diameter"), facts.get("volume")
    if not units.plausible and measured.metal:
        bore = find_bore(*joined(measured.metal))
        diameter = bore.diameter if bore else None
    return report_units(
        units,
        float(diameter) if isinstance(diameter, int | float) else None,
        float(volume) if isinstance(volume, int | float) else None,
    )
