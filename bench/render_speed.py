"""Time of studio pictures, through the same isolated child as in the product.

    python bench/render_speed.py [file.glb ...]

Without files, three of our own models are exported and photographed. Prints when each picture of a run was there (wall
seconds since the file was handed over: reading and telling stones apart included) and the processor time of the run.
Goals: a first picture within 5 s, a hero of 1024 pixels within 25 s, 24 frames of a turntable within 60 s, on 2 cores.
A loaded machine makes wall times larger; processor seconds over two cores are what an idle one would need.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from ai_pipeline.cad.models import PIECES
from ai_pipeline.cad.models.export import export_glb
from ai_pipeline.intake import render_cad

OURS = ("six-claw-solitaire", "half-eternity", "sapphire-trilogy")
RUNS = (("hero",), ("turntable",))
CORES = 2


def main(names: list[str]) -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(name) for name in names]
        for slug in () if files else OURS:
            files.append(Path(folder) / f"{slug}.glb")
            export_glb(PIECES[slug].build(), files[-1])
        print(f"{'file':28} {'pictures':10} {'first s':>8} {'last s':>8} {'cpu s':>8} {'cpu/2':>8}")
        for path in files:
            for views in RUNS:
                print(measured(path, views, Path(tempfile.mkdtemp(dir=folder))), flush=True)


def measured(path: Path, views: tuple[str, ...], out: Path) -> str:
    """One line of the table."""
    there: list[float] = []
    before, started = _cpu(), time.monotonic()
    render_cad(
        path,
        filename=path.name,
        out_dir=out,
        views=views,
        draft_first=True,
        landed=lambda _view, _path, _draft: there.append(time.monotonic() - started),
    )
    cpu = _cpu() - before
    return f"{path.name:28} {views[0]:10} {there[0]:8.1f} {there[-1]:8.1f} {cpu:8.1f} {cpu / CORES:8.1f}"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
