"""Compile the translation catalogs (.po) to the binary form (.mo) that the application reads."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from frontend.failures import BuildError


def find_catalogs(root: Path) -> list[Path]:
    """All .po files under `root`, sorted; empty when there is no such folder."""
    return sorted(root.glob("*/LC_MESSAGES/*.po"))


def compile_catalog(source: Path) -> Path:
    """Write the .mo file beside `source` and return its path. Fuzzy messages are left out.

    Raises BuildError when `source` cannot be read as a catalog.
    """
    target = source.with_suffix(".mo")
    try:
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise BuildError(f"{source} cannot be read as a catalog: {error}") from error
    scratch = target.with_suffix(".mo.new")
    with scratch.open("wb") as file:
        write_mo(file, catalog)
    scratch.replace(target)
    return target
