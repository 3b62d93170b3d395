"""The CAD task of the child: identify, read, weld, measure, write the preview."""

from pathlib import Path

from ai_pipeline.cad.findings import finding
from ai_pipeline.cad.load import check_only, load
from ai_pipeline.cad.measure import measure
from ai_pipeline.cad.precheck import identify
from ai_pipeline.cad.preview import write_preview
from ai_pipeline.cad.report import CadReport
from ai_pipeline.cad.solids import shells_of

PREVIEW_NAME = "preview.glb"


def inspect(path: str, filename: str, declared_type: str, out_dir: str, unit: str | None = None) -> CadReport:
    """Read and measure the CAD file at `path`; write `preview.glb` into `out_dir`. Raises Unreadable."""
    kind = identify(Path(path), filename, declared_type)
    if not kind.measured:
        check_only(Path(path), kind)
        return CadReport(
            format=kind.name, status="stored", facts=[], findings=[finding("measure_later", format=kind.name)]
        )
    bodies, units, left_out = load(Path(path), kind, unit)
    measured = measure(shells_of(bodies), units)
    findings = measured.findings
    if left_out:
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
