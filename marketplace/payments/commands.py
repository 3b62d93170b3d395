"""`marketplace payments`: the nightly comparison on demand, for whoever sits at a terminal."""

import sys
import time
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy import select

from marketplace.db.jobs import JobName, JobRow, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.kernel.ids import new_id
from marketplace.payments.claims import Reconciliation
from marketplace.payments.findings import amounts, difference
from marketplace.services import Services

#: Seconds between two looks at the job, and how long a comparison may take (workers.registry).
LOOK_S = 1
LONGEST_S = 1200


@click.group()
def payments() -> None:
    """Look after payments."""


@payments.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Print what was found on this day (UTC) instead.")
@click.pass_obj
def compare(services: Services, day: datetime | None) -> None:
    """Compare the books with the payment service's and print each difference; exits 1 when there are any.

    The comparison is the nightly one and is done by a worker; its alerts are raised as at night.
    """
    row = _run(services) if day is None else _of(services, day.replace(tzinfo=UTC))
    for item in row.differences:
        sides = [amounts(item[side], item["kind"], item["object"]) for side in ("ours", "theirs")]
        subject = f"  ({item['subject']})" if item["subject"] else ""
        click.echo(f"{difference(item['kind'])}: {item['object']}{subject}  ours {sides[0]}  theirs {sides[1]}")
    click.echo(f"{row.at:%Y-%m-%d %H:%M} UTC: {row.compared} movements, {len(row.differences)} differences.")
    if row.differences:
        sys.exit(1)


def _run(services: Services) -> Reconciliation:
    actor = system("cli")
    with unit_of_work(services.engine, actor) as session:
        job_id = stage(session, JobName.COMPARE_BOOKS, new_id("cli"), {})
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        with unit_of_work(services.engine, actor) as session:
            job = session.get_one(JobRow, job_id)
            if job.state == "failed":
                raise click.ClickException(f"The comparison failed: {job.error}")
            if job.state == "done":
                newest = select(Reconciliation).order_by(Reconciliation.at.desc()).limit(1)
                return session.scalars(newest).one()
        time.sleep(LOOK_S)
    raise click.ClickException("No worker has made the comparison. Are the workers running?")


def _of(services: Services, day: datetime) -> Reconciliation:
    """The last comparison of a day."""
    query = select(Reconciliation).where(Reconciliation.at >= day, Reconciliation.at < day + timedelta(days=1))
    with unit_of_work(services.engine, system("cli")) as session:
        row = session.scalars(query.order_by(Reconciliation.at.desc()).limit(1)).one_or_none()
    if row is None:
        raise click.ClickException(f"There is no comparison of {day:%Y-%m-%d}.")
    return row
