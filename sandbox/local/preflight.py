"""What must hold before anything is started; each failure says what to do."""

import errno
import os
import shutil
from pathlib import Path

from sandbox.local.environment import CHECKOUT, Instance
from sandbox.local.portowner import port_owner
from sandbox.local.terminal import Trouble
from sandbox.services.pgbinaries import shared_place
from sandbox.services.ports import is_free

# A new cluster, object volumes and logs take some 300 MB; PostgreSQL and SeaweedFS stop short of a full disk.
_NEEDED_BYTES = 500 * 1024 * 1024


def check(instance: Instance) -> None:
    """Raises Trouble when the port is taken, the disk is full or the directory cannot be used."""
    _directory(instance)
    _disk(instance.directory)
    if os.geteuid() == 0 and not instance.given.get("DATABASE_URL"):
        _disk(shared_place())  # root's database lies there
    if not is_free(instance.port):
        raise Trouble(
            f"Port {instance.port} is in use by {port_owner(instance.port)}.",
            f"Stop it, or start on another port: PORT={instance.port + 1} ./dev run",
        )


def _directory(instance: Instance) -> None:
    directory = instance.directory
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        foreign = directory.parent != CHECKOUT and not instance.secrets.exists() and any(directory.iterdir())
    except OSError as error:
        raise Trouble(
            f"{directory} cannot be used: {os.strerror(error.errno or errno.EIO)}.",
            "Set LOCAL_DIR to a directory of your own.",
        ) from error
    if foreign:
        raise Trouble(
            f"LOCAL_DIR is {directory}, which holds files of something else.",
            "Set LOCAL_DIR to an empty or a new directory.",
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise Trouble(
            f"{directory} belongs to another account and cannot be written.",
            "Start as its owner, or set LOCAL_DIR to a directory of your own.",
        )


def _disk(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < _NEEDED_BYTES:
        raise Trouble(
            f"The disk of {directory} has {free // 2**20} MB left; {_NEEDED_BYTES // 2**20} MB are needed.",
            "Free some space, or set LOCAL_DIR to a directory on another disk.",
        )
