"""The `marketplace` command line."""

import secrets
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import click

from demo import commands as demo_commands
from marketplace.accounts import operations as accounts
from marketplace.config import Misconfigured, Settings
from marketplace.db.migrate import prepare
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.kernel.errors import DomainError
from marketplace.manufacturing.investigate import Investigation, lines_of
from marketplace.payments import chain
from marketplace.payments import fees as fee_schedule
from marketplace.payments import ledger as books
from marketplace.payments.chain import Head
from marketplace.payments.commands import payments
from marketplace.royalties.check import problems as statement_problems
from marketplace.services import Services


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Run and look after the marketplace."""
    try:
        context.obj = Services(Settings.from_env(), background=True)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.pass_obj
def release(services: Services) -> None:
    """Prepare the database (roles, migrations) and the object store; safe to repeat."""
    prepare(services.settings)
    services.storage.ensure_bucket(services.settings.base_url)
    click.echo("The database and the object store are ready.")


@main.command("create-operator")
@click.option("--name", prompt=True)
@click.option("--email", prompt=True)
@click.option("--password", help="Left out: one is made and shown once.")
@click.pass_obj
def create_operator(services: Services, name: str, email: str, password: str | None) -> None:
    """Make an operator account."""
    chosen = password or secrets.token_urlsafe(15)
    actor = system("cli")
    try:
        with unit_of_work(services.engine, actor) as session:
            accounts.create_operator(
                session,
                actor,
                name=name,
                email=email,
                password=chosen,
                brand=services.settings.brand_name,
                country=services.settings.platform_country,
            )
    except DomainError as error:
        raise click.ClickException("; ".join([str(error), *error.fields.values()])) from error
    click.echo(f"Operator {email} created." + ("" if password else f" Password: {chosen}"))


main.add_command(demo_commands.seed)
main.add_command(demo_commands.demo)
main.add_command(payments)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="The name the file came with, if it has another one here; it tells the format.")
@click.pass_obj
def trace(services: Services, file: Path, name: str | None) -> None:
    """Name the download that a CAD file comes from, with the evidence; exits 1 when no origin is found."""
    with tempfile.TemporaryDirectory(prefix="trace-") as scratch:
        investigation = Investigation(services, system("cli"), Path(scratch), lambda _percent: None)
        found = investigation.trace(file, name or file.name)
    for line in lines_of(found):
        click.echo(line)
    if found.verdict != "named":
        sys.exit(1)


@main.group()
def ledger() -> None:
    """Look after the books."""


@ledger.command("check")
@click.option(
    "--anchor", metavar="NUMBER:HASH", help="A chain's end that was kept elsewhere; the chain must still pass it."
)
@click.pass_obj
def check_ledger(services: Services, anchor: str | None) -> None:
    """Check that every booking balances, the chain holds, no account stands wrong; exits 1 when something is wrong."""
    number, _colon, digest = (anchor or "0:").partition(":")
    if not number.isdecimal():
        raise click.BadParameter("write it as it was printed, for example 12:9f86d0...", param_hint="--anchor")
    kept = Head(int(number), digest) if anchor else None
    with unit_of_work(services.engine, system("cli")) as session:
        sums, wrong, end = books.balances(session), books.problems(session, kept), chain.head(session)
    for balance in sums:
        click.echo(f"{balance.account:<52} {balance.amount:>16,} {balance.currency}")
    for line in wrong:
        click.echo(f"WRONG: {line}", err=True)
    if wrong:
        sys.exit(1)
    click.echo(f"Everything balances. The chain ends at {end.seq}:{end.hash}")


@main.group()
def royalties() -> None:
    """Look after the statements of royalties."""


@royalties.command("check")
@click.pass_obj
def check_royalties(services: Services) -> None:
    """Check that statements, what they count and the books say the same to the cent; exits 1 when they do not."""
    with unit_of_work(services.engine, system("cli")) as session:
        wrong = list(statement_problems(session))
    for line in wrong:
        click.echo(f"WRONG: {line}", err=True)
    if wrong:
        sys.exit(1)
    click.echo("Every statement agrees with its lines and with the books.")


@main.group()
def fees() -> None:
    """The platform's fees by day."""


@fees.command("list")
@click.pass_obj
def list_fees(services: Services) -> None:
    """Print the fee schedule."""
    with unit_of_work(services.engine, system("cli")) as session:
        rates = fee_schedule.schedule(session)
    for rate in rates:
        click.echo(f"{rate.purpose:<8} {rate.bps:>6} basis points from {rate.valid_from}  {rate.note}")


@fees.command("announce")
@click.argument("purpose", type=click.Choice(fee_schedule.PURPOSES))
@click.argument("bps", type=int)
@click.argument("valid_from", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--note", default="", help="Why, shown to the operators.")
@click.pass_obj
def announce_fee(services: Services, purpose: str, bps: int, valid_from: datetime, note: str) -> None:
    """Set a fee (in basis points) from a day on; what was agreed before keeps its fee."""
    actor = system("cli")
    try:
        with unit_of_work(services.engine, actor) as session:
            fee_schedule.announce(session, actor, purpose=purpose, bps=bps, valid_from=valid_from.date(), note=note)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{purpose}: {bps} basis points from {valid_from.date()}.")


if __name__ == "__main__":
    sys.exit(main())
