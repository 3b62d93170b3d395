"""The one source of time, so that tests can move it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The current instant, timezone-aware UTC."""
    return _source()


@contextmanager
def frozen(at: datetime) -> Iterator[Callable[[datetime], None]]:
    """Hold the clock at `at` (tests only); the yielded function moves it."""
    global _source  # noqa: PLW0603  (one process-wide clock is the point)
    current = [at]
    before, _source = _source, lambda: current[0]
    try:
        yield lambda moment: current.__setitem__(0, moment)
    finally:
        _source = before
