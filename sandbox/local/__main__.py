"""`python -m sandbox.local COMMAND ...`: what `./dev` runs inside the virtual environment."""

import errno
import sys
from collections.abc import Callable, Sequence

from sandbox.local import cli, doctor, reset, run, verify
from sandbox.local.terminal import Trouble, fail

_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run.main,
    "test": verify.main,
    "cli": cli.main,
    "demo": cli.demo,
    "doctor": doctor.main,
    "reset": reset.main,
}


def main() -> int:
    """Run one command; a trouble a person can put right is told without a traceback."""
    command, *arguments = sys.argv[1:]
    try:
        return _COMMANDS[command](arguments)
    except Trouble as error:
        fail(error)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        fail(Trouble("The disk is full.", "Free some space, then start again."))
    return 1


if __name__ == "__main__":
    sys.exit(main())
