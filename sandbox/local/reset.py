"""`./dev reset`: throws the local instance away, after asking."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.local.environment import CHECKOUT, Instance, find_instance
from sandbox.local.lock import holder
from sandbox.local.terminal import Trouble, say
from sandbox.services.clusters import lost_clusters, noted_cluster


def main(arguments: Sequence[str]) -> int:
    """Delete the instance's data; the exit status is 1 when the person says no."""
    parser = argparse.ArgumentParser(
        prog="./dev reset", description="Delete the local database, objects, mails, logs and secrets."
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    instance = find_instance()
    if running := holder(instance.lock):
        raise Trouble(
            f"The instance is running (process {running}).", "Stop it first: Ctrl-C, or `kill` and that number."
        )
    doomed = _doomed(instance)
    if not doomed:
        say(f"There is nothing to delete: {instance.directory} does not exist.")
        return 0
    say("This deletes, for good:")
    for path in doomed:
        say(f"  {path}  ({_megabytes(path)} MB)")
    if not options.yes and not _confirmed():
        say("Nothing was deleted.")
        return 1
    for path in doomed:
        shutil.rmtree(path)
    say("Deleted. ./dev run starts afresh.")
    return 0


def _doomed(instance: Instance) -> list[Path]:
    """The instance's directory, its database when that lies elsewhere, and what killed test runs left behind."""
    directory = instance.directory
    found = [lost.root for lost in lost_clusters() if lost.throw_away]
    cluster = noted_cluster(directory)
    if cluster and cluster.exists():
        found.append(cluster)
    if directory.exists():
        precious = {CHECKOUT, *CHECKOUT.parents, Path.home(), *Path.home().parents}
        if directory in precious or (directory.parent != CHECKOUT and not instance.secrets.exists()):
            raise Trouble(
                f"{directory} does not look like the data of an instance; it is left alone.", "Check LOCAL_DIR."
            )
        found.append(directory)
    return found


def forget_unfinished(instance: Instance) -> bool:
    """Delete stores in which the demo world was left half made; whether there were any.

    Stores elsewhere are never touched: there the person is told what to do by the seed itself.
    """
    elsewhere = any(instance.given.get(name) for name in ("DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL"))
    if elsewhere or not instance.seeding.exists():
        return False
    cluster = noted_cluster(instance.directory)
    stores = [instance.directory / name for name in ("postgres", "valkey", "s3", "mail")]
    for path in [*stores, *([cluster] if cluster else [])]:
        if path.exists():
            shutil.rmtree(path)
    for file in [*instance.directory.glob("stripe.json*"), instance.directory / "cluster.json"]:
        file.unlink(missing_ok=True)
    instance.seeding.unlink()
    return True


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise Trouble("There is no terminal to ask on.", "Say ./dev reset --yes")
    return input("Delete all this? [y/N] ").strip().lower() in {"y", "yes"}


def _megabytes(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file() and not f.is_symlink()) // 2**20
