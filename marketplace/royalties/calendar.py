"""When a license gives account: its quarters, its years, its deadlines. Pure; days are UTC days.

Quarters are counted from the day the license began, not from January: a license year has four of them whatever day it
began. A quarter is cut short where the term ends, so that the guarantee of the term is known on that day; the months
of selling off follow as quarters of their own. All spans are half open: `ends` is the first day that is not in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from marketplace.licensing.rights import add_months

#: Days after a quarter's end by which the buyer says what was sold.
REPORT_DAYS = 30
#: Days after a statement was issued by which it is paid.
PAY_DAYS = 30
#: When people are reminded of a deadline: days before (negative) or after it.
REMINDERS = (-14, 0, 7)
#: How long an audit may look for its books, and a question about a statement for its answer.
AUDIT_DAYS = 30
QUERY_DAYS = 14
#: An audit may be asked for once in this many months.
AUDIT_EVERY_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `starts` up to, but without, `ends`."""

    starts: date
    ends: date

    @property
    def last_day(self) -> date:
        """The last day in it."""
        return self.ends - timedelta(days=1)

    def holds(self, day: date) -> bool:
        """Whether the day is in it."""
        return self.starts <= day < self.ends


@dataclass(frozen=True, slots=True)
class Life:
    """From which day a license gives account, until when its term runs, and until when may be sold off.

    A license without an end (a buyout) has `until` and `sold_off` None.
    """

    began: date
    until: date | None
    sold_off: date | None

    def after(self, previous: date | None) -> Span | None:
        """The quarter that follows the one that ended on `previous` (None: the first); None when there is none."""
        starts = previous or self.began
        if self.sold_off is not None and starts >= self.sold_off:
            return None
        ends = next(edge for edge in _edges(self.began, 3) if edge > starts)
        for cut in (self.until, self.sold_off):
            if cut is not None and starts < cut < ends:
                ends = cut
        return Span(starts, ends)

    def closing_year(self, quarter: Span) -> tuple[Span, int] | None:
        """The license year that `quarter` closes with its months (12, fewer for a last one), else None.

        Quarters of selling off close no year: the guarantee is of the term.
        """
        if self.until is not None and quarter.starts >= self.until:
            return None
        starts = self.began
        for edge in _edges(self.began, 12):
            ends = edge if self.until is None else min(edge, self.until)
            if ends >= quarter.ends:
                # Counted from the first day: the years of one that began on a February 29th begin a day too early.
                months = _months(self.began, ends) - _months(self.began, starts)
                return (Span(starts, ends), months) if ends == quarter.ends else None
            starts = ends
        raise AssertionError("years follow each other without end")

    def closes_term(self, quarter: Span) -> bool:
        """Whether the term ends with this quarter."""
        return self.until is not None and quarter.ends == self.until


def life(
    active_from: datetime,
    active_until: datetime | None,
    sell_off_months: int | None,
    *,
    winds_up: datetime | None = None,
    ended: datetime | None = None,
) -> Life:
    """The life of a license by its moments.

    `winds_up` is when the selling off ends where that is set already; `ended` when it ended before its time.
    """
    began = active_from.astimezone(UTC).date()
    until = None if active_until is None else active_until.astimezone(UTC).date()
    sold_off = until
    if winds_up is not None:
        sold_off = winds_up.astimezone(UTC).date()
        until = sold_off if until is None else min(until, sold_off)
    elif until is not None and sell_off_months:
        sold_off = add_months(datetime.combine(until, time.min, UTC), sell_off_months).date()
    if ended is not None:
        last = max(ended.astimezone(UTC).date(), began + timedelta(days=1))
        sold_off = last if sold_off is None else min(sold_off, last)
        until = sold_off if until is None else min(until, sold_off)
    return Life(began, until, sold_off)


def report_due(quarter: Span) -> date:
    """By which day the sales of a quarter are reported."""
    return quarter.ends + timedelta(days=REPORT_DAYS)


def due_reminders(deadline: date, today: date, sent: list[str], name: str) -> tuple[str | None, list[str]]:
    """(the reminder to send now, all that are then settled) for the deadline called `name`.

    When several have passed since the last look only the latest is sent; the others would say what is no longer so.
    """
    reached = [f"{name}:{days}" for days in REMINDERS if today >= deadline + timedelta(days=days)]
    fresh = [reminder for reminder in reached if reminder not in sent]
    return (fresh[-1] if fresh else None), [*sent, *fresh]


def _edges(began: date, step: int) -> Iterator[date]:
    """Every `step` months from `began`, each counted from the beginning so that a 31st does not wander."""
    first, months = datetime.combine(began, time.min, UTC), step
    while True:
        yield add_months(first, months).date()
        months += step


def _months(starts: date, ends: date) -> int:
    """Whole months from `starts` to `ends`, a begun one counted."""
    first, months = datetime.combine(starts, time.min, UTC), 0
    while add_months(first, months).date() < ends:
        months += 1
    return months
