"""Finds a real Chromium for browser tests, and unpacks or installs one when there is none.

Order: BROWSER_PATH, Playwright's own, one on PATH, the locked npm package `@sparticuz/chromium` (Linux x64), what
`playwright install chromium` downloads. None of them is an error, never a silent skip.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.local import chromium
from sandbox.local.environment import CHECKOUT
from sandbox.local.terminal import Trouble

# Software drawing, so that WebGL looks the same everywhere; no sandbox, which root and containers cannot have.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--enable-unsafe-swiftshader",
    "--use-gl=angle",
    "--use-angle=swiftshader",
)
_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser: its program, what its process needs in the environment beside ours, and its arguments."""

    path: Path
    env: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ARGUMENTS

    def exported(self) -> dict[str, str]:
        """What tells another process of ours about this browser."""
        names = {"LD_LIBRARY_PATH": "BROWSER_LD_LIBRARY_PATH"}  # must reach no process but the browser's
        return {"BROWSER_PATH": str(self.path)} | {names.get(k, k): v for k, v in self.env.items()}


def find(checkout: Path = CHECKOUT) -> Browser:
    """The first browser of the order; raises Trouble when there is none and none can be had."""
    for look in (_named, _playwrights, _on_path, lambda: _packed(checkout), _downloaded):
        if found := look():
            return found
    raise Trouble(
        "There is no browser for the browser tests, and none could be downloaded.",
        "Install Chromium (Debian: apt install chromium), or set BROWSER_PATH to a Chromium or Chrome.",
    )


def installed(checkout: Path = CHECKOUT) -> Browser | None:
    """As `find`, but nothing is unpacked and nothing downloaded."""
    looks: tuple[Callable[[], Browser | None], ...] = (_named, _playwrights, _on_path)
    found = next((browser for look in looks if (browser := look())), None)
    return found or (Browser(chromium.source(checkout)) if chromium.source(checkout).exists() else None)


def _named() -> Browser | None:
    named = os.environ.get("BROWSER_PATH")
    if not named:
        return None
    if not shutil.which(named):
        raise Trouble(f"BROWSER_PATH is {named}, which is not a program.", "Correct it, or unset it.")
    env = {}
    if fonts := os.environ.get("FONTCONFIG_PATH"):
        env["FONTCONFIG_PATH"] = fonts
    if libraries := os.environ.get("BROWSER_LD_LIBRARY_PATH"):
        env["LD_LIBRARY_PATH"] = libraries
    return Browser(Path(named), env)


def _playwrights() -> Browser | None:
    """What Playwright installed for its own version earlier."""
    if not importlib.util.find_spec("playwright"):
        return None
    script = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    try:
        asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    except subprocess.SubprocessError:
        return None
    path = Path(asked.stdout.strip())
    return Browser(path) if asked.stdout.strip() and path.exists() else None


def _on_path() -> Browser | None:
    found = next((path for name in _ON_PATH if (path := shutil.which(name))), None)
    return Browser(Path(found)) if found else None


def _packed(checkout: Path) -> Browser | None:
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "amd64"}:
        return None
    if not chromium.source(checkout).exists():
        return None
    unpacked = chromium.unpack(checkout)
    return Browser(
        unpacked / "chromium",
        {"FONTCONFIG_PATH": str(unpacked / "fonts"), "LD_LIBRARY_PATH": str(unpacked / "al2023" / "lib")},
    )


def _downloaded() -> Browser | None:
    if not importlib.util.find_spec("playwright"):
        return None
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True, check=False, timeout=600
    )
    return _playwrights()
