"""The CAD task of the child: weld, measure, write the preview."""

from pathlib import Path

from ai_pipeline.cad.findings import finding
from ai_pipeline.cad.load import Loaded
from ai_pipeline.cad.measure import measure
from ai_pipeline.cad.preview import write_preview
from ai_pipeline.cad.report import CadReport
from ai_pipeline.cad.solids import shells_of

PREVIEW_NAME = "preview.glb"


def inspect(prepared: Loaded, out_dir: str, **_arguments: object) -> CadReport:
    """Measure a CAD file that was read; write `preview.glb` into `out_dir`. Raises Unreadable."""
    kind = prepared.kind
    if not kind.measured:
        return CadReport(
            format=kind.name, status="stored", facts=[], findings=[finding("measure_later", format=kind.name)]
        )
    measured = measure(shells_of(prepared.bodies), prepared.units)
    findings = measured.findings
    if prepared.left_out:
        findings.append(finding("materials_ignored"))
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
    )
