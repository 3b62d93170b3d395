"""The `marketplace` command line."""

import secrets
import sys
import tempfile
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
from marketplace.payments import ledger as books
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
                session, actor, name=name, email=email, password=chosen, brand=services.settings.brand_name
            )
    except DomainError as error:
        raise click.ClickException("; ".join([str(error), *error.fields.values()])) from error
    click.echo(f"Operator {email} created." + ("" if password else f" Password: {chosen}"))


main.add_command(demo_commands.seed)
main.add_command(demo_commands.demo)


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
@click.pass_obj
def check_ledger(services: Services) -> None:
    """Check that every booking and every currency balances; exits 1 when something is wrong."""
    with unit_of_work(services.engine, system("cli")) as session:
        sums, wrong = books.balances(session), books.problems(session)
    for balance in sums:
        click.echo(f"{balance.account:<52} {balance.amount:>16,} {balance.currency}")
    for line in wrong:
        click.echo(f"WRONG: {line}", err=True)
    if wrong:
        sys.exit(1)
    click.echo("Everything balances.")


if __name__ == "__main__":
    sys.exit(main())
