"""Time and memory of the full measurement of a ring of some 200,000 triangles, in its isolated child process.

    python bench/cad_speed.py [--rounds 3] [file]

Without a file: a generated ring with a row of seats and its stones. Prints CPU seconds and wall time of the whole
child (start, imports, reading, measuring, both GLB files), its peak memory, when the first facts arrived, and the CPU
of each step measured in this process. Goals: under 3 s of CPU and 500 MB for the measurement, first facts within 1 s.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - run as a script

from ai_pipeline.cad.bore import find_bore  # noqa: E402
from ai_pipeline.cad.intersections import self_intersections  # noqa: E402
from ai_pipeline.cad.load import prepare  # noqa: E402
from ai_pipeline.cad.parts import parts_of  # noqa: E402
from ai_pipeline.cad.preview import write_preview  # noqa: E402
from ai_pipeline.cad.rays import Scene  # noqa: E402
from ai_pipeline.cad.report import Fact  # noqa: E402
from ai_pipeline.cad.seats import find_seats  # noqa: E402
from ai_pipeline.cad.shank import cuts  # noqa: E402
from ai_pipeline.cad.solids import enclosed, joined, shells_of  # noqa: E402
from ai_pipeline.cad.studio_mesh import write_studio  # noqa: E402
from ai_pipeline.cad.walls import walls_of  # noqa: E402
from ai_pipeline.intake import inspect_cad  # noqa: E402
from bench.cad_shapes import brilliant, revolved, write_obj  # noqa: E402


def main() -> None:
    """Measure and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("file", nargs="?", type=Path)
    given.add_argument("--rounds", type=int, default=3)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = asked.file or ring(Path(scratch))
        for number in range(asked.rounds):
            whole(path, Path(scratch), number)
        steps(path, Path(scratch))


def ring(folder: Path) -> Path:
    """A domed band of 200,000 triangles with fifteen stones on it."""
    angles = np.linspace(0, np.pi, 92)
    outer = np.column_stack([9.6 + 0.5 * np.sin(angles), -1.5 * np.cos(angles)])
    profile = np.vstack([[8.255, -1.5], outer, [8.255, 1.5]])
    bodies = {"shank": revolved(profile, 1060)}
    for place in range(15):
        angle = (place - 7) * 0.19
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        bodies[f"gem {place}"] = brilliant(1.5, out * 11.3, out)
    return write_obj(bodies, folder / "ring.obj")


def whole(path: Path, scratch: Path, number: int) -> None:
    """One child from start to end."""
    started = time.monotonic()
    told: list[float] = []

    def first(_facts: list[Fact]) -> None:
        told.append(time.monotonic() - started)

    report = inspect_cad(path, filename=path.name, declared_type="", out_dir=scratch, unit="mm", first=first)
    reading = report.reading
    triangles = report.fact("triangles")
    assert reading
    assert triangles
    print(
        f"round {number + 1}: {triangles.value} triangles, CPU {reading.cpu_ms / 1000:.2f} s,"
        f" wall {time.monotonic() - started:.2f} s, peak {reading.peak_mb} MB,"
        f" first facts after {told[0] if told else float('nan'):.2f} s"
    )


def steps(path: Path, scratch: Path) -> None:
    """CPU of each step; the imports were paid before."""
    with step("read"):
        loaded = prepare(str(path), path.name, unit="mm")
    with step("weld and split"):
        welding = shells_of(loaded.bodies)
    with step("metal or stone"):
        parts = parts_of(welding)
    with step("unite"):
        solid = enclosed(parts.metal)
    with step("self-intersections"):
        for shell in parts.metal:
            self_intersections(shell.vertices, shell.faces)
    with step("bore"):
        bore = find_bore(*joined(parts.metal))
    with step("walls, gaps, wires"):
        scene = Scene(solid.vertices, solid.faces)
        walls = walls_of(scene)
    with step("seats"):
        find_seats(scene)
    if bore and bore.fits:
        with step("shank"):
            cuts(solid.vertices, solid.faces, bore, np.empty((0, 3)))
    with step("owner's GLB"):
        write_studio(parts.metal, parts.stones, walls, scratch / "studio.glb", z_up=True)
    with step("public GLB"):
        write_preview(parts.metal, parts.stones, scratch / "preview.glb")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the CPU of what is inside."""
    before = time.process_time()
    yield
    print(f"{name:20} {time.process_time() - before:6.2f} s")


if __name__ == "__main__":
    main()
