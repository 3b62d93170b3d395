"""Where a database cluster keeps its files.

An ordinary user's lie under the instance's own directory. Root's cannot: the server runs as another account,
which may not enter a checkout under a closed home. They lie in the shared place, and the instance remembers where.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.services.pgbinaries import SHARED_PLACES, shared_place
from sandbox.services.process import Account

_NOTE = "cluster.json"
_OWNER = "instance.json"
_LEFT_BEHIND_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """`root` belongs to the cluster alone and may be removed with it; `data` is the server's data directory."""

    root: Path
    data: Path


def place_cluster(base: Path, account: Account | None, *, durable: bool) -> ClusterPlace:
    """Find the cluster of the instance in `base`, or make an empty place for one."""
    if account is None:
        root = base / "postgres"
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return ClusterPlace(root, root / "data")
    root = _remembered(base) or _fresh(base, durable=durable)
    data = root / "data"
    if not data.exists():
        data.mkdir(mode=0o700)
    os.chown(root, account.uid, account.gid)
    os.chown(data, account.uid, account.gid)
    return ClusterPlace(root, data)


def _fresh(base: Path, *, durable: bool) -> Path:
    place = shared_place()
    for lost in lost_clusters():
        if lost.throw_away:
            shutil.rmtree(lost.root, ignore_errors=True)
    root = place / f"cluster-{secrets.token_hex(6)}"
    root.mkdir(mode=0o700)
    _write_owner(root, base, throw_away=not durable)
    (base / _NOTE).write_text(json.dumps({"cluster": str(root)}))
    return root


def _remembered(base: Path) -> Path | None:
    """The cluster noted in `base`, unless the note came with a copy of another instance that still exists."""
    root = noted_cluster(base)
    if root is None or not root.exists():
        return None
    owner = _owner(root)
    if owner.base != base:
        if noted_cluster(owner.base) == root:
            return None
        _write_owner(root, base, throw_away=owner.throw_away)  # the checkout was moved
    return root


def noted_cluster(base: Path) -> Path | None:
    """Where the instance in `base` says its cluster is."""
    try:
        return Path(json.loads((base / _NOTE).read_text())["cluster"])
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class LostCluster:
    """A cluster in the shared place whose instance is gone."""

    root: Path
    base: Path
    throw_away: bool


def lost_clusters() -> Iterator[LostCluster]:
    """Clusters that no instance notes any more (their passwords went with it), and throw-away ones left behind."""
    for place in SHARED_PLACES:
        if not os.access(place, os.R_OK):
            continue
        for root in place.glob("cluster-*"):
            owner = _owner(root)
            forgotten = noted_cluster(owner.base) != root
            left_behind = owner.throw_away and time.time() - root.stat().st_mtime > _LEFT_BEHIND_SECONDS
            if (forgotten or left_behind) and not _serving(root / "data"):
                yield owner


def _serving(data: Path) -> bool:
    try:
        postmaster = int((data / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


def _owner(root: Path) -> LostCluster:
    try:
        noted = json.loads((root / _OWNER).read_text())
        return LostCluster(root, Path(noted["base"]), bool(noted["throw_away"]))
    except (OSError, ValueError, KeyError, TypeError):
        return LostCluster(root, Path("/nonexistent"), throw_away=False)


def _write_owner(root: Path, base: Path, *, throw_away: bool) -> None:
    (root / _OWNER).write_text(json.dumps({"base": str(base), "throw_away": throw_away}))
