"""Taking over published rates."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.exchange.models import ExchangeRate
from marketplace.gateways.rates import Sheet
from marketplace.kernel import clock
from marketplace.kernel.money import CURRENCIES


def take(session: Session, sheet: Sheet, source: str) -> int:
    """Keep a day's rates of the currencies we trade in; a day that is kept already stays. Returns how many were new."""
    rows = [
        {"as_of": sheet.as_of, "currency": code, "rate": rate, "source": source, "created_at": clock.now()}
        for code, rate in sorted(sheet.per_euro.items())
        if code in CURRENCIES
    ]
    if not rows:
        return 0
    made = session.execute(insert(ExchangeRate).values(rows).on_conflict_do_nothing().returning(ExchangeRate.currency))
    return len(made.all())
