"""How many copies are named again after what may happen to them, and whether anybody is ever accused wrongly.

    python bench/trace.py [--copies 1000] [--designs 20] [--corners 1200] [--folder DIR]

Makes marked copies of generated rings (and of the mesh files in the folder), saves each again as STL, OBJ, PLY, 3MF
and GLB, shuffles, moves and turns it by 90 degrees, finds the original among all by the index and compares it with
every copy of the designs found. Also traced: every original itself and a copy of every design whose key is not on
file; nobody may be named. Exits 1 when fewer than 99 % are named or anybody is named wrongly.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - run as a script

from ai_pipeline.cad.fingerprint import tasks  # noqa: E402
from ai_pipeline.cad.fingerprint.compare import decided  # noqa: E402
from ai_pipeline.cad.fingerprint.report import CopyReport  # noqa: E402
from marketplace.manufacturing.tracing import CERTAIN, alike, nearest  # noqa: E402
from tests.pipeline import reexport  # noqa: E402
from tests.pipeline.shapes import Mesh, write_stl  # noqa: E402


@dataclass(frozen=True)
class Original:
    """A design: its file, its format, and the copies that were made of it."""

    name: str
    path: Path
    copies: dict[str, bytes]
    report: CopyReport


def key_of(name: str) -> bytes:
    """A key, the same in every run."""
    return hashlib.sha256(name.encode()).digest()[:16]


def ring(seed: int, corners: int) -> Mesh:
    """A closed ring of varying section: smooth relief around, so that it has no symmetry, in a size of its own."""
    dice = np.random.default_rng(seed)
    around = int(dice.integers(int(corners / 24), int(corners / 12)))
    across = max(6, corners // around)
    u, v = np.meshgrid(np.arange(around) * 2 * np.pi / around, np.arange(across) * 2 * np.pi / across, indexing="ij")
    waves = sum(
        dice.uniform(0.02, 0.15) * np.sin(k * u + dice.uniform(0, 6)) * np.cos(v * (k % 3)) for k in range(1, 6)
    )
    thick = dice.uniform(0.8, 1.6) * (1 + waves)
    reach = dice.uniform(7.5, 11) + thick * np.cos(v)
    points = np.column_stack(
        [(reach * np.cos(u)).ravel(), (reach * np.sin(u)).ravel(), (1.4 * thick * np.sin(v)).ravel()]
    )
    i, j = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    a, b = i * across + j, (i + 1) % around * across + j
    c, d = (i + 1) % around * across + (j + 1) % across, i * across + (j + 1) % across
    faces = np.vstack([np.column_stack([x.ravel() for x in face]) for face in ((a, b, c), (a, c, d))])
    return points, faces


def manipulations(mesh: Mesh, scratch: Path, seed: int) -> list[tuple[str, Path]]:
    """(what was done, the file); everything but a new format is saved as STL."""
    made = [(f"saved as {kind}", write(mesh, scratch / f"s.{kind}")) for kind, write in reexport.WRITERS.items()]
    for what, change in (
        ("shuffled", reexport.shuffled),
        ("moved", reexport.moved),
        ("turned by 90 degrees", reexport.quarter_turned),
    ):
        made.append((what, write_stl(change(mesh, seed), scratch / f"{what.split()[0]}.stl")))
    everything = reexport.shuffled(reexport.moved(reexport.quarter_turned(mesh, seed), seed), seed)
    kind = list(reexport.WRITERS)[seed % len(reexport.WRITERS)]
    made.append(("all of it at once", reexport.WRITERS[kind](everything, scratch / f"all.{kind}")))
    made.append(("turned any way", write_stl(reexport.turned(mesh, seed), scratch / "any.stl")))
    return made


def trace(suspect: Path, originals: list[Original]) -> tuple[str | None, float, int]:
    """(the copy named or None, logarithm of the bound on chance, comparisons)."""
    shape = tasks.describe(str(suspect), suspect.name).shape
    found = nearest(shape, [(item.name, item.report.shape) for item in originals if alike(shape, item.report.shape)])
    best, comparisons = None, 0
    by_name = {item.name: item for item in originals}
    for name in found:
        item = by_name[name]
        folder = suspect.parent / f"{suspect.name}-against-{name}"
        folder.mkdir()
        os.link(suspect, folder / "suspect")
        os.link(item.path, folder / "original")
        pairs = {
            "suspect": suspect.name,
            "original": item.path.name,
            "scale": item.report.scale,
            "keys": {copy: key.hex() for copy, key in item.copies.items()},
        }
        result = tasks.compare_files(str(folder), pairs)
        comparisons += result.comparisons
        for suspicion in result.suspicions:
            if best is None or suspicion.log_chance < best.log_chance:
                best = suspicion
    if best is None or decided(best.log_chance, comparisons) > CERTAIN:
        return None, 0.0, comparisons
    return best.copy_id, decided(best.log_chance, comparisons), comparisons


def prepare(scratch: Path, designs: int, corners: int, copies: int, folder: Path | None) -> list[Original]:
    """The designs on file, each with its share of the copies."""
    paths = [write_stl(ring(seed, corners), scratch / f"ring{seed}.stl") for seed in range(designs)]
    if folder:
        paths += [p for p in sorted(folder.iterdir()) if p.suffix in (".stl", ".obj", ".ply", ".glb", ".3mf")]
    made = []
    for number, path in enumerate(paths):
        share = copies // len(paths) + (number < copies % len(paths))
        keys = {f"{path.name}#{n}": key_of(f"{path.name}#{n}") for n in range(share)}
        report = tasks.make_copy(str(path), str(scratch), path.name, next(iter(keys.values())).hex(), "0" * 32)
        made.append(Original(path.name, path, keys, report))
    return made


def main() -> int:
    """Make, harm, trace, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--copies", type=int, default=1000)
    parser.add_argument("--designs", type=int, default=20)
    parser.add_argument("--corners", type=int, default=1200)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    tried: Counter[str] = Counter()
    named: Counter[str] = Counter()
    wrong = silent = 0
    moved = volume = 0.0
    weakest, spent, began = 0.0, 0.0, time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        originals = prepare(scratch, chosen.designs, chosen.corners, chosen.copies, chosen.folder)
        for item in originals:
            for number, (copy, key) in enumerate(item.copies.items()):
                with tempfile.TemporaryDirectory() as own:
                    report = tasks.make_copy(str(item.path), own, item.path.name, key.hex(), "0" * 32)
                    moved, volume = max(moved, report.moved_um), max(volume, report.volume_change)
                    mesh = reexport.mesh_of(Path(own) / "copy", report.shape.format)
                    for what, path in manipulations(mesh, Path(own), number):
                        before = time.process_time()
                        found, chance, _ = trace(path, originals)
                        spent += time.process_time() - before
                        tried[what] += 1
                        named[what] += found == copy
                        wrong += found not in (None, copy)
                        if found == copy:
                            weakest = max(weakest, chance) if weakest else chance
            with tempfile.TemporaryDirectory() as own:
                tasks.make_copy(str(item.path), own, item.path.name, key_of("not on file").hex(), "0" * 32)
                for innocent in (item.path, Path(own) / "copy"):
                    target = Path(own) / f"innocent{innocent.suffix or item.path.suffix}"
                    target.write_bytes(innocent.read_bytes())
                    wrong += trace(target, originals)[0] is not None
                    silent += 1
                    target.unlink()
                    for folder in Path(own).glob("innocent*"):
                        for file in folder.iterdir():
                            file.unlink()
                        folder.rmdir()
    total = sum(tried.values())
    for what in tried:
        print(f"{what:24} {named[what]:6} of {tried[what]:6} named")
    print(f"{'in all':24} {sum(named.values()):6} of {total:6} named, {wrong} named wrongly")
    print(f"{silent} innocent files among them: originals, and copies whose key is not on file")
    print(f"farthest move {moved:.3f} um, largest change of volume {volume:.1e}")
    print(f"weakest proof: one in 10^{-weakest / np.log(10):.0f} by chance, over all comparisons made for that file")
    print(f"{1000 * spent / max(total, 1):.0f} ms of CPU a trace, {time.monotonic() - began:.0f} s in all")
    return int(wrong > 0 or sum(named.values()) < 0.99 * total)


if __name__ == "__main__":
    sys.exit(main())
