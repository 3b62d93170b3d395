"""Time of the web sizes of one 12 megapixel photo: four widths, each as AVIF, WebP and JPEG.

    python bench/photos.py [photo.jpg]

Without a photo a made-up one is used: smooth color with grain, which is harder on the encoders than a studio picture.
Three lines: everything in this process, the naive way (every size from the full picture), and the whole task in its
child process, as a worker runs it.
"""

import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - run as a script
from PIL import Image  # noqa: E402

from ai_pipeline.imaging.derivatives import ENCODERS, flatten, write_derivatives  # noqa: E402
from ai_pipeline.imaging.pixels import WIDTHS, decode  # noqa: E402
from ai_pipeline.imaging.verify import verify  # noqa: E402
from ai_pipeline.intake import inspect_photo  # noqa: E402

ROUNDS = 5


def main(given: Path | None) -> None:
    """Measure each way ROUNDS times and print the best."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        path = given or made_up(out / "photo.jpg")
        ways: list[tuple[str, Callable[[], object]]] = [
            ("in this process", lambda: chain(path, out)),
            ("every size from the full picture", lambda: naive(path)),
            ("in the child, with its start", lambda: inspect_photo(path, filename="", declared_type="", out_dir=out)),
        ]
        print(f"{path.name}, {path.stat().st_size / 1e6:.1f} MB; the best of {ROUNDS} rounds")
        for name, way in ways:
            wall, cpu = min(timed(way) for _ in range(ROUNDS))
            print(f"{name:34} {wall * 1000:6.0f} ms  {cpu * 1000:6.0f} ms CPU")


def chain(path: Path, out: Path) -> None:
    """As the product does it."""
    image, _ = decode(path, verify(path, path.name, ""))
    write_derivatives(image, out)


def naive(path: Path) -> None:
    """The same files with nothing shared."""
    for width in WIDTHS:
        for name, _, options in ENCODERS.values():
            with Image.open(path) as opened:
                picture = opened.resize((width, round(opened.height * width / opened.width)), Image.Resampling.LANCZOS)
            flatten(picture).save(io.BytesIO(), name, **options)


def timed(way: Callable[[], object]) -> tuple[float, float]:
    """(seconds, seconds of processor of this process and its children)."""
    started, before = time.perf_counter(), processor()
    way()
    return time.perf_counter() - started, processor() - before


def processor() -> float:
    """Seconds of processor so far."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


def made_up(path: Path) -> Path:
    """A JPEG of 4000 x 3000 pixels."""
    dice = np.random.default_rng(20261121)
    y, x = np.mgrid[0:3000, 0:4000]
    waves = np.stack([np.sin(x / 300), np.sin(y / 200), np.sin((x + y) / 250)], axis=-1) * 60 + 150
    pixels = np.clip(waves + dice.normal(0, 4, waves.shape), 0, 255).astype("uint8")
    Image.fromarray(pixels).save(path, quality=92)
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
