"""Jobs of the bank-file rail: filling a file, and taking over what the bank says of each payment."""

from marketplace.payments.rails import operations
from workers.run import Run


def fill(run: Run, file_id: str) -> None:
    """Put what waits into the file and write it."""
    with run.phase() as session:
        operations.fill_file(session, run.actor, file_id, run.services.settings)


def settle(run: Run, item_id: str) -> None:
    """Take over one payment that was carried out, returned or given up."""
    with run.phase() as session:
        operations.settle_item(session, run.actor, item_id)
