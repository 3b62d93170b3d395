"""What `./dev` says on the terminal: steps with their seconds, colors where they are wanted, failures with advice."""

import os
import shutil
import sys

_COLORS = {"dim": "2", "bold": "1", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


class Trouble(Exception):
    """Something a person can put right: what happened, and what to do."""

    def __init__(self, happened: str, advice: str = "") -> None:
        super().__init__(happened)
        self.advice = advice


def paint(text: str, color: str) -> str:
    """The text in a color, or plain when the output is not a terminal or NO_COLOR is set."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{_COLORS[color]}m{text}\033[0m" if wanted else text


def say(text: str = "") -> None:
    """One line, at once."""
    print(text, flush=True)


def done(what: str, seconds: float, note: str = "") -> None:
    """A finished step."""
    if sys.stdout.isatty():
        print("\033[2K", end="")
    say(f"  {paint('✓', 'green')} {what:<34} {seconds:5.1f} s" + (f"  {paint(note, 'dim')}" if note else ""))


def fail(error: Trouble) -> None:
    """What happened and what to do, on standard error."""
    sys.stdout.flush()
    advice = f"\n{paint('What to do:', 'bold')} {error.advice}" if error.advice else ""
    print(f"\n{paint('✗', 'red')} {error}{advice}", file=sys.stderr, flush=True)


def show_progress(text: str) -> None:
    """Replace the current line of a terminal; nothing elsewhere."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 5
        print(f"\033[2K  … {text[:width]}", end="\r", flush=True)
