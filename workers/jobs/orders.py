"""Jobs of orders: quotes end by the clock, and with an order that is canceled."""

from marketplace.orders import closing
from workers.run import Run


def expire_quotes(run: Run, order_id: str | None = None) -> None:
    """Close the requests of a canceled order, or, without one, mark quotes whose last day has passed."""
    with run.phase() as session:
        if order_id is not None:
            closing.close_requests(session, run.actor, order_id)
        else:
            closing.expire_quotes(session, run.actor)
