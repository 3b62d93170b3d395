"""Reading rates."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.exchange.models import ExchangeRate
from marketplace.exchange.rules import Fixed, cross
from marketplace.kernel import clock

#: Older rates tell nobody anything; central banks pause for a few days around the new year.
MAX_AGE = timedelta(days=7)


def fix(session: Session, base: str, quotes: Iterable[str]) -> list[Fixed]:
    """The latest rates from `base` to each other currency of `quotes`; what is not known or too old is left out."""
    wanted = sorted({quote for quote in quotes if quote != base})
    if not wanted:
        return []
    oldest = clock.now().date() - MAX_AGE
    query = (
        select(ExchangeRate)
        .where(ExchangeRate.currency.in_([base, *wanted]), ExchangeRate.as_of >= oldest)
        .order_by(ExchangeRate.as_of.desc())
    )
    rows = session.scalars(query).all()
    if not rows:
        return []
    latest = [row for row in rows if row.as_of == rows[0].as_of]
    per_euro = {row.currency: row.rate for row in latest}
    found = []
    for quote in wanted:
        rate = cross(per_euro, base, quote)
        if rate:
            found.append(Fixed(base, quote, rate, latest[0].source, latest[0].as_of))
    return found
