"""The worker's own temporary folder, so that a killed job leaves no file of anybody's behind."""

import os
import re
import shutil
import tempfile
from pathlib import Path

_NAME = re.compile(r"touchstone-(\d+)-")


def claim() -> Path:
    """Make a folder for this process, use it for all its temporary files, and remove those of workers that are gone."""
    parent = Path(tempfile.gettempdir())
    for other in parent.iterdir():
        found = _NAME.match(other.name)
        if found and not Path(f"/proc/{found[1]}").exists() and other.stat().st_uid == os.getuid():
            shutil.rmtree(other, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"touchstone-{os.getpid()}-", dir=parent))
    tempfile.tempdir = str(folder)
    return folder


def clear(folder: Path) -> None:
    """Remove whatever a job left in the folder."""
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
