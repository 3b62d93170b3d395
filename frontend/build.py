"""Build the front end: `python -m frontend.build`.

Each step remembers the hash of what it was made from and is skipped when that has not changed and its result is still
there. Output: marketplace/static/built (hashed names and manifest.json), build/fonts (TrueType), translations/*.mo.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from frontend.bundle import bundle
from frontend.catalogs import compile_catalog, find_catalogs
from frontend.failures import BuildError, explain
from frontend.fonts import SUBSETS, WHOLE, lay_out_fonts
from frontend.node import find_node, install_packages, packages_installed

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "frontend"
MODULES = SOURCES / "node_modules"
PICTURES = ROOT / "demo" / "pictures"
BUILT = ROOT / "marketplace" / "static" / "built"
FONTS = ROOT / "build" / "fonts"
STAMPS = ROOT / "build" / "frontend.json"


def fingerprint(files: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of `files`."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


class Steps:
    """Runs named steps, each only when its inputs changed; keeps their fingerprints in one JSON file."""

    def __init__(self, stamps: Path) -> None:
        self._path = stamps
        try:
            self._seen: dict[str, str] = json.loads(stamps.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._seen = {}

    def run(self, name: str, mark: str, present: bool, work: Callable[[], object]) -> None:
        """Do `work` unless its result is `present` and was made from the same `mark`; print one line either way."""
        if present and self._seen.get(name) == mark:
            print(f"  {name}: up to date")
            return
        started = time.monotonic()
        work()
        self._seen[name] = mark
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._seen, indent=1) + "\n", encoding="utf-8")
        print(f"  {name}: done in {time.monotonic() - started:.1f} s", flush=True)


def build() -> None:
    """Bring every output up to date. Raises BuildError when a step fails; finished steps stay finished."""
    steps = Steps(STAMPS)
    lock = fingerprint([SOURCES / "package.json", SOURCES / "package-lock.json"])
    steps.run(
        "packages",
        lock,
        (MODULES / ".package-lock.json").exists(),
        lambda: None if packages_installed(SOURCES) else install_packages(find_node(), SOURCES),
    )
    sources = [path for folder in ("css", "js", "art") for path in (SOURCES / folder).rglob("*") if path.is_file()]
    sources += PICTURES.glob("*.webp")
    mark = fingerprint([*sources, SOURCES / "icons.txt", SOURCES / "bundle.py", SOURCES / "icons.py"]) + lock
    steps.run(
        "styles, scripts, icons",
        mark,
        (BUILT / "manifest.json").exists(),
        lambda: bundle(find_node(), SOURCES, PICTURES, BUILT),
    )
    steps.run(
        "document fonts",
        fingerprint([SOURCES / "fonts.py"]) + lock,
        all((FONTS / name).exists() for name in (*WHOLE, *SUBSETS)),
        lambda: lay_out_fonts(MODULES, FONTS),
    )
    for catalog in find_catalogs(ROOT / "translations"):
        name = f"translation {catalog.parent.parent.name}"
        if catalog.stem != "messages":
            name += f" ({catalog.stem})"
        steps.run(
            name,
            fingerprint([catalog]),
            catalog.with_suffix(".mo").exists(),
            lambda catalog=catalog: compile_catalog(catalog),  # type: ignore[misc]
        )


def main() -> int:
    """Build and return the exit code; failures are printed in words."""
    print("Building the front end")
    try:
        build()
    except BuildError as error:
        print(f"The front end was not built. {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The front end was not built. {explain(f'{error.strerror} {error}')}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
