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
        if found and not _runs(int(found[1])) and _is_ours(other):
            shutil.rmtree(other, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"touchstone-{os.getpid()}-", dir=parent))
    tempfile.tempdir = str(folder)
    return folder


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.getuid()
    except FileNotFoundError:
        return False  # another worker that began now was faster


def clear(folder: Path) -> None:
    """Remove whatever a job left in the folder."""
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
