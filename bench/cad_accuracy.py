"""Accuracy of the CAD measurements against analytic truth and against exact generated solids. Prints a table.

    python bench/cad_accuracy.py [folder with truth.json and the gt_* files]

Exits 1 when a bound is broken: volume of a mesh within 1e-6 of that polyhedron, analytic volume within 0.1 %, inner
diameter within 0.01 mm, ring size exact, stone count exact, carat within 2 %.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - run as a script

from ai_pipeline.cad.sizes import ring_sizes  # noqa: E402
from ai_pipeline.intake import inspect_cad  # noqa: E402
from tests.pipeline import shapes  # noqa: E402

ANALYTIC, POLYHEDRON, BORE_MM, CARAT = 1e-3, 1e-6, 0.01, 0.02
GENERATED = 12


@dataclass(frozen=True)
class Row:
    """One comparison; `error` and `bound` are in the same measure."""

    file: str
    what: str
    truth: str
    measured: str
    error: float
    bound: float


def main(folder: Path) -> int:
    """Measure, print, and tell whether every bound holds."""
    with tempfile.TemporaryDirectory() as scratch:
        rows = [*real(folder, Path(scratch)), *generated(Path(scratch))]
    print(f"{'file':28} {'what':16} {'truth':>14} {'measured':>14} {'error':>10} {'bound':>8}")
    for row in rows:
        mark = "" if row.error <= row.bound else "  <-- broken"
        print(
            f"{row.file:28} {row.what:16} {row.truth:>14} {row.measured:>14} {row.error:10.2e} {row.bound:8.0e}{mark}"
        )
    for what in dict.fromkeys(row.what for row in rows):
        worst = max(
            (row for row in rows if row.what == what), key=lambda row: row.error / row.bound if row.bound else row.error
        )
        print(f"worst {what}: {worst.error:.2e} ({worst.file}), bound {worst.bound:.0e}")
    return int(any(row.error > row.bound for row in rows))


def real(folder: Path, scratch: Path) -> Iterator[Row]:
    """The files with analytic or exact B-rep truth."""
    truth = json.loads((folder / "truth.json").read_text())
    pairs = [(path, truth[name]) for name in truth for path in sorted(folder.glob(f"{name}.stl"))]
    pairs += [(folder / f"gt_solitaire.{kind}", truth["gt_solitaire_metal"]) for kind in ("obj", "ply", "glb")]
    for path, known in pairs:
        # The GLB was written in millimeters against its own standard: a person would confirm that.
        unit = "mm" if path.suffix == ".glb" else None
        report = inspect_cad(path, filename=path.name, declared_type="", out_dir=scratch, unit=unit)
        if "ct" in known:
            yield relative(path.name, "carat", known["ct"], report.fact("stone_carat"), CARAT)
            continue
        yield relative(path.name, "volume", known["volume"], report.fact("volume"), ANALYTIC)
        if "inner_d" in known:
            yield from ring(path.name, known["inner_d"], report)
        if path.suffix in (".obj", ".glb"):
            yield relative(path.name, "carat", truth["gt_solitaire_gem"]["ct"], report.fact("stone_carat"), CARAT)
    report = inspect_cad(folder / "gt_pave.glb", filename="gt_pave.glb", declared_type="", out_dir=scratch, unit="mm")
    stones = report.fact("stone_count")
    count = float(stones.value or 0) if stones else 0.0
    yield Row("gt_pave.glb", "stone count", "17", f"{count:g}", abs(count - 17), 0.0)


def generated(scratch: Path) -> Iterator[Row]:
    """Bands of random size and pose: their polyhedron's volume is known exactly, and so is their inscribed cylinder."""
    dice = np.random.default_rng(20261121)
    for number in range(GENERATED):
        inner, wall, width = dice.uniform(13, 23), dice.uniform(0.9, 2.4), dice.uniform(1.5, 8)
        segments = int(dice.integers(120, 720))
        points, faces = shapes.band(inner, wall, width, segments)
        ring_area = 0.5 * segments * np.sin(2 * np.pi / segments)
        reach = inner / 2 / np.cos(np.pi / segments)
        exact = ring_area * ((reach + wall) ** 2 - reach**2) * width
        turn, _ = np.linalg.qr(dice.normal(size=(3, 3)))
        turn *= np.sign(np.linalg.det(turn))
        path = shapes.write_obj(
            {"band": (points @ turn.T + dice.uniform(-40, 40, 3), faces)}, scratch / f"band{number}.obj"
        )
        report = inspect_cad(path, filename=path.name, declared_type="", out_dir=scratch)
        yield relative(
            f"band {inner:.2f} x {width:.1f}, {segments}", "polyhedron", exact, report.fact("volume"), POLYHEDRON
        )
        yield from ring(f"band {inner:.2f} x {width:.1f}, {segments}", inner, report)


def relative(file: str, what: str, truth: float, fact: object, bound: float) -> Row:
    """The relative error of a number."""
    value = float(getattr(fact, "value", None) or 0.0)
    return Row(file, what, f"{truth:.5f}", f"{value:.5f}", abs(value - truth) / truth, bound)


def ring(file: str, inner: float, report: object) -> Iterator[Row]:
    """Inner diameter in mm, and the sizes of every system against those of the true diameter."""
    fact = report.fact("inner_diameter")  # type: ignore[attr-defined]
    value = float(fact.value) if fact and fact.value else 0.0
    yield Row(file, "inner diameter", f"{inner:.4f}", f"{value:.4f}", abs(value - inner), BORE_MM)
    for system, size in ring_sizes(inner).items():
        found = report.fact(f"ring_size_{system}")  # type: ignore[attr-defined]
        wrong = float(found is None or not same(found.value, size))
        yield Row(file, f"size {system}", str(size), str(found and found.value), wrong, 0.0)


def same(found: object, size: float | str) -> bool:
    """Equal, or within 0.1 mm of circumference for the system that is a length."""
    return found == size or (isinstance(found, float) and isinstance(size, float) and abs(found - size) < 0.11)


if __name__ == "__main__":
    default = os.environ.get("TOUCHSTONE_DATA") or ROOT.parent / "shared" / "data"
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(default) / "cad"))
