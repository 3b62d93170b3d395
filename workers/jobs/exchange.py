"""The job that fetches reference rates."""

from marketplace.exchange import operations
from marketplace.gateways import rates
from workers.run import Retry, Run


def fetch(run: Run) -> None:
    """Take over the latest published rates; raises Retry while they cannot be had."""
    settings = run.services.settings
    try:
        sheet = rates.fetch(settings.rates_url)
    except rates.RatesUnavailable as error:
        raise Retry(error.code) from error
    with run.phase() as session:
        operations.take(session, sheet, settings.rates_source)
