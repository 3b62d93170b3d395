"""Accuracy of the CAD measurements against analytic truth and against exact generated solids. Prints two tables.

    python bench/cad_accuracy.py [--each 6] [folder with truth.json and the gt_* files]

Every family is generated at random sizes, poses and units. Exits 1 when a bound is broken: volume of a mesh within
1e-6 of that polyhedron, of a B-rep within 1e-4, analytic volume of a mesh within 0.1 %, inner diameter within 0.01 mm,
ring size exact to a quarter, thinnest wall within 0.005 mm and its place within 1 mm, stone count exact, carat within
2 %.
"""

import argparse
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

from ai_pipeline.cad.report import CadReport  # noqa: E402
from ai_pipeline.cad.sizes import ring_sizes  # noqa: E402
from ai_pipeline.intake import inspect_cad  # noqa: E402
from bench.cad_breps import BREPS, tessellated, write_rhino, write_step  # noqa: E402
from bench.cad_shapes import MESHES, MM_PER, Dice, Piece, posed, volume_of, write_obj  # noqa: E402

ANALYTIC, POLYHEDRON, BREP, BORE_MM, WALL_MM, PLACE_MM, CARAT = 1e-3, 1e-6, 1e-4, 0.01, 0.005, 1.0, 0.02
SEED = 20261121


@dataclass(frozen=True)
class Row:
    """One comparison; `error` and `bound` are in the same measure."""

    file: str
    what: str
    truth: str
    measured: str
    error: float
    bound: float


def main() -> int:
    """Measure, print, and tell whether every bound holds."""
    given = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("TOUCHSTONE_DATA") or ROOT.parent / "shared" / "data"
    given.add_argument("folder", nargs="?", type=Path, default=Path(data) / "cad")
    given.add_argument("--each", type=int, default=6, help="pieces of each family")
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = list(generated(Path(scratch), asked.each))
        rows += real(asked.folder, Path(scratch)) if (asked.folder / "truth.json").is_file() else []
    print(f"{'file':30} {'what':16} {'truth':>14} {'measured':>14} {'error':>10} {'bound':>8}")
    for row in rows:
        mark = "" if row.error <= row.bound else "  <-- broken"
        print(
            f"{row.file:30} {row.what:16} {row.truth:>14} {row.measured:>14} {row.error:10.2e} {row.bound:8.0e}{mark}"
        )
    print("\nworst case of each measure")
    for what in dict.fromkeys(row.what for row in rows):
        mine = [row for row in rows if row.what == what]
        worst = max(mine, key=lambda row: row.error / row.bound if row.bound else row.error)
        print(f"{what:16} {worst.error:.2e} of {worst.bound:.0e} allowed, {len(mine)} pieces ({worst.file})")
    return int(any(row.error > row.bound for row in rows))


def generated(scratch: Path, each: int) -> Iterator[Row]:
    """Every family: meshes as OBJ in any unit and pose; boundary surfaces as STEP, as 3DM, and as their triangles."""
    dice = np.random.default_rng(SEED)
    for make in MESHES:
        for number in range(each):
            yield from _mesh(make(dice), f"{make.__name__} {number}", dice, scratch)
    for make in BREPS:
        for number in range(each):
            piece = make(dice)
            name = f"{make.__name__} {number}"
            step = inspect(write_step(piece.shape, scratch / "piece.step"), scratch)
            yield relative(f"{name}, STEP", "B-rep volume", piece.volume or 0.0, step, "volume", BREP)
            if piece.inner:
                yield from ring(f"{name}, STEP", piece.inner, step)
            piece.bodies = {"metal": tessellated(piece.shape), **piece.bodies}
            yield from _mesh(piece, f"{name}, mesh", dice, scratch)
    for number in range(each):
        unit = ("mm", "in")[number % 2]
        volume = write_rhino(dice, scratch / "piece.3dm", unit)
        report = inspect(scratch / "piece.3dm", scratch)
        yield relative(f"surfaces {number}, 3DM in {unit}", "B-rep volume", volume, report, "volume", BREP)


def _mesh(piece: Piece, name: str, dice: Dice, scratch: Path) -> Iterator[Row]:
    polyhedron = piece.polyhedron or sum(
        volume_of(mesh) for body, mesh in piece.bodies.items() if not body.startswith("gem")
    )
    unit = str(dice.choice(list(MM_PER)))
    path = write_obj(posed(piece, dice).bodies, scratch / "piece.obj", MM_PER[unit])
    report = inspect(path, scratch, unit)
    yield relative(name, "polyhedron", polyhedron, report, "volume", POLYHEDRON)
    if piece.volume:
        yield relative(name, "analytic volume", piece.volume, report, "volume", ANALYTIC)
    if piece.inner:
        yield from ring(name, piece.inner, report)
    if piece.wall:
        fact = report.fact("wall_min")
        value = float(fact.value or 0.0) if fact else 0.0
        error = abs(value - piece.wall)
        yield Row(name, "thinnest wall", f"{piece.wall:.4f}", f"{value:.4f}", error, WALL_MM)
        if piece.thin and fact and fact.place:
            off = piece.thin(np.array(fact.place))
            yield Row(name, "place of it", "0", f"{off:.3f}", off, PLACE_MM)
    if piece.stones is not None:
        count = report.fact("stone_count")
        found = int(count.value or 0) if count else 0
        yield Row(name, "stone count", str(piece.stones), str(found), abs(found - piece.stones), 0.0)
    if piece.carat:
        yield relative(name, "carat", piece.carat, report, "stone_carat", CARAT)


def real(folder: Path, scratch: Path) -> Iterator[Row]:
    """The files with analytic or exact B-rep truth, and what is known of the others."""
    truth = json.loads((folder / "truth.json").read_text())
    metal, gem = truth["gt_solitaire_metal"], truth["gt_solitaire_gem"]
    for path in sorted(folder.glob("gt_*")):
        known = next((truth[name] for name in truth if path.stem == name), None)
        whole = path.stem == "gt_solitaire"
        known = metal if whole else known
        # GLB is in meters by its standard; these were written in millimeters, which a person would confirm.
        report = inspect(path, scratch, "mm" if path.suffix == ".glb" else None)
        if path.stem.startswith("gt_pave"):
            if path.suffix != ".stl":
                count = report.fact("stone_count")
                found = int(count.value or 0) if count else 0
                yield Row(path.name, "stone count", "17", str(found), abs(found - 17), 0.0)
                yield relative(path.name, "carat", 1.157, report, "stone_carat", CARAT)
            yield from ring(path.name, 16.51, report)
        elif known and "ct" in known:
            yield relative(path.name, "carat", known["ct"], report, "stone_carat", CARAT)
        elif known:
            exact = path.suffix == ".step"
            what, bound = ("B-rep volume", BREP) if exact else ("analytic volume", ANALYTIC)
            yield relative(path.name, what, known["volume"], report, "volume", bound)
            if "inner_d" in known:
                yield from ring(path.name, known["inner_d"], report)
            if "min_thick" in known:
                wall = report.fact("wall_min")
                value = float(wall.value or 0.0) if wall else 0.0
                error = abs(value - known["min_thick"])
                yield Row(path.name, "thinnest wall", f"{known['min_thick']}", f"{value:.4f}", error, WALL_MM)
            # Its PLY holds metal and stone in one surface list, the STL and STEP the metal alone.
            if whole and path.suffix in (".obj", ".glb", ".3mf"):
                yield relative(path.name, "carat", gem["ct"], report, "stone_carat", CARAT)
    if (folder / "v5_ring.3dm").is_file():
        report = inspect(folder / "v5_ring.3dm", scratch)
        # Its volume by an independent integration at 1e-5 when the format was first tried.
        yield relative("v5_ring.3dm", "B-rep volume", 24936.0, report, "volume", BREP)


def inspect(path: Path, scratch: Path, unit: str | None = None) -> CadReport:
    """The report of a file."""
    return inspect_cad(path, filename=path.name, declared_type="", out_dir=scratch, unit=unit)


def relative(file: str, what: str, truth: float, report: CadReport, name: str, bound: float) -> Row:
    """The relative error of a number; a missing one is wholly wrong."""
    fact = report.fact(name)
    value = float(fact.value) if fact and isinstance(fact.value, int | float) else 0.0
    return Row(file, what, f"{truth:.5f}", f"{value:.5f}", abs(value - truth) / truth, bound)


def ring(file: str, inner: float, report: CadReport) -> Iterator[Row]:
    """Inner diameter in mm, and the US size to a quarter."""
    fact = report.fact("inner_diameter")
    value = float(fact.value) if fact and isinstance(fact.value, int | float) else 0.0
    yield Row(file, "inner diameter", f"{inner:.4f}", f"{value:.4f}", abs(value - inner), BORE_MM)
    size, found = ring_sizes(inner)["us"], report.fact("ring_size_us")
    yield Row(file, "size US", str(size), str(found and found.value), float(not found or found.value != size), 0.0)


if __name__ == "__main__":
    sys.exit(main())
