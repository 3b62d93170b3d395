"""Unpacks the Chromium of the locked npm package, with fonts for Latin and Chinese."""

import fcntl
import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from xml.sax.saxutils import escape

import brotli

_TARS = ("al2023", "fonts")
_DONE = "unpacked"


def source(checkout: Path) -> Path:
    """The packed browser of the front end's locked packages."""
    packed = checkout / "frontend" / "node_modules" / "@sparticuz" / "chromium" / "bin"
    return packed / "x64" / "chromium.br" if (packed / "x64").exists() else packed / "chromium.br"


def unpack(checkout: Path) -> Path:
    """Make build/browser from the package unless it is there already; answers its directory.

    It holds `chromium`, its libraries in `al2023/lib`, and `fonts` with a fonts.conf. On a machine without fonts the
    browser aborts at the first character without a glyph, so the Chinese font of the product is named there too.
    """
    packed = source(checkout)
    target = checkout / "build" / "browser"
    target.parent.mkdir(exist_ok=True)
    mark = f"{packed.stat().st_size}-{hashlib.sha256(packed.read_bytes()[:65_536]).hexdigest()}"
    with (target.parent / "browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs of one checkout unpack once
        if not (target / _DONE).exists() or (target / _DONE).read_text() != mark:
            _unpack_into(target, packed.parent)
            (target / _DONE).write_text(mark)
        _name_fonts(target, checkout / "build" / "fonts")
    return target


def _unpack_into(target: Path, packed: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    program = target / "chromium"
    program.write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    program.chmod(0o755)
    for name, place in [(name, target / name) for name in _TARS] + [("swiftshader", target)]:
        found = [folder / f"{name}.tar.br" for folder in (packed, packed.parent)]
        tar = next((file for file in found if file.exists()), None)
        if tar:
            with tarfile.open(fileobj=io.BytesIO(brotli.decompress(tar.read_bytes()))) as archive:
                archive.extractall(place, filter="data")


def _name_fonts(target: Path, own_fonts: Path) -> None:
    """A fonts.conf that names the unpacked fonts, the product's own, and a cache that can be written."""
    unpacked = target / "fonts"
    folders = [unpacked, own_fonts, Path("/usr/share/fonts")]
    lines = [f"  <dir>{escape(str(folder))}</dir>" for folder in folders]
    lines.append(f"  <cachedir>{escape(str(target / 'font-cache'))}</cachedir>")
    for generic in ("sans-serif", "serif", "monospace"):
        preferred = "".join(f"<family>{name}</family>" for name in ("Open Sans", "Noto Sans SC"))
        lines.append(f"  <alias><family>{generic}</family><prefer>{preferred}</prefer></alias>")
    text = '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
    unpacked.mkdir(exist_ok=True)
    (unpacked / "fonts.conf").write_text(text + "\n".join(lines) + "\n</fontconfig>\n")
