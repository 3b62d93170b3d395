"""`./dev cli` and `./dev demo`: the product's command line against the running instance."""

import json
import os
import sys
from collections.abc import Sequence

from sandbox.local.environment import Instance, find_instance
from sandbox.local.lock import holder
from sandbox.local.processes import MARKETPLACE, child_environment
from sandbox.local.terminal import Trouble


def main(arguments: Sequence[str]) -> int:
    """Become `marketplace` with the settings of the running instance; never returns but by Trouble."""
    instance = find_instance()
    environment = child_environment(_settings(instance))
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *MARKETPLACE, *arguments], environment)  # noqa: S606 - no shell wanted


def demo(arguments: Sequence[str]) -> int:
    """`marketplace demo`: the whole main job through the HTTP API."""
    return main(["demo", *arguments])


def _settings(instance: Instance) -> dict[str, str]:
    if not instance.record.exists():
        raise Trouble(f"There is no instance in {instance.directory} yet.", "Start it with ./dev run")
    if holder(instance.lock) is None:
        raise Trouble("The instance is not running.", "Start it in another terminal with ./dev run")
    found = json.loads(instance.record.read_text())
    return {str(name): str(value) for name, value in found.items()}
