"""The CAD task of the child: weld, measure, write the preview."""

from pathlib import Path

import numpy as np

from ai_pipeline.cad.bore import find_bore
from ai_pipeline.cad.findings import finding
from ai_pipeline.cad.load import Loaded
from ai_pipeline.cad.measure import Measured, measure
from ai_pipeline.cad.preview import write_preview
from ai_pipeline.cad.report import CadReport, SeenLayer, UnitReport
from ai_pipeline.cad.solids import shells_of
from ai_pipeline.cad.units import Units, report_units

PREVIEW_NAME = "preview.glb"


def inspect(prepared: Loaded, out_dir: str, **_arguments: object) -> CadReport:
    """Measure a CAD file that was read; write `preview.glb` into `out_dir`. Raises Unreadable."""
    kind = prepared.kind
    notes = [finding(code, **params) for code, params in prepared.notes]
    layers = [SeenLayer(**vars(layer)) for layer in prepared.layers]
    if not prepared.bodies:
        return CadReport(
            format=kind.name, status="stored", facts=[], findings=[finding("nothing_shown"), *notes], layers=layers
        )
    measured = measure(shells_of(prepared.bodies), prepared.units)
    findings = [*measured.findings, *notes]
    preview = None
    try:
        preview = write_preview(measured.metal, measured.stones, Path(out_dir) / PREVIEW_NAME, z_up=kind.name != "GLB")
    except (ValueError, ZeroDivisionError, RuntimeError):
        findings.append(finding("preview_failed"))
    return CadReport(
        format=kind.name,
        status="measured",
        facts=measured.facts,
        findings=findings,
        stones=measured.stone_sizes,
        preview=preview,
        units=unit_report(prepared.units, measured),
        layers=layers,
    )


def unit_report(units: Units, measured: Measured) -> UnitReport:
    """What the piece would be in each unit; where the unit is in doubt, its bore is sought at the scale that fits."""
    facts = {fact.name: fact.value for fact in measured.facts}
    diameter, volume = facts.get("inner_diameter"), facts.get("volume")
    if not units.plausible and measured.metal:
        starts = np.cumsum([0, *(len(shell.vertices) for shell in measured.metal)])
        faces = np.vstack([shell.faces + start for shell, start in zip(measured.metal, starts, strict=False)])
        bore = find_bore(np.vstack([shell.vertices for shell in measured.metal]), faces)
        diameter = bore.diameter if bore else None
    return report_units(
        units,
        float(diameter) if isinstance(diameter, int | float) else None,
        float(volume) if isinstance(volume, int | float) else None,
    )
