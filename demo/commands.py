"""`marketplace seed` and `marketplace demo`."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import click
from sqlalchemy import func, select, update

from ai_pipeline.cad.models import PIECES, export_glb
from demo import acts, world
from demo.inprocess import InProcess
from demo.play import Player
from demo.transport import DemoFailed, OverHttp
from marketplace.accounts import operations as accounts
from marketplace.accounts.models import User
from marketplace.app import create_app
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.manufacturing.models import CadLink
from marketplace.messaging.models import MessageTranslation
from marketplace.payments import ledger
from marketplace.services import Services

ROOT = Path(__file__).parents[1]


@click.command()
@click.pass_obj
def seed(services: Services) -> None:
    """Make the demo world in an empty instance (local stand-ins only)."""
    settings = services.settings
    if settings.production or not settings.sandbox_services:
        raise click.ClickException("The demo world is only made on an instance with the local stand-ins.")
    actor = system("seed")
    with unit_of_work(services.engine, actor) as session:
        if session.scalar(select(func.count()).select_from(User)):
            raise click.ClickException("There are people here already; the demo world is made in an empty instance.")
        accounts.create_operator(
            session,
            actor,
            name=world.OPERATOR.name,
            email=world.OPERATOR.email,
            password=world.PASSWORD,
            brand=settings.brand_name,
            country=settings.platform_country,
        )
    began = time.monotonic()

    def set_language(email: str, locale: str) -> None:
        with unit_of_work(services.engine, actor) as session:
            session.execute(update(User).where(User.email == email).values(locale=locale))

    def say(line: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f} s  {line}")

    transport = InProcess(create_app(settings), services)
    with tempfile.TemporaryDirectory() as scratch:
        made = world.World(transport, _sandbox(services), Path(scratch), say)
        try:
            made.make(set_language)
        except DemoFailed as error:
            raise click.ClickException(str(error)) from error
    transport.settle()
    folder = Path(os.environ.get("LOCAL_DIR", ROOT / ".local"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "demo-people.json").write_text(json.dumps(world.logins(), indent=2))
    say("the demo world is ready")


@click.command()
@click.option(
    "--photo", "photos", multiple=True, type=click.Path(exists=True, path_type=Path), help="Photos to upload."
)
@click.pass_obj
def demo(services: Services, photos: tuple[Path, ...]) -> None:
    """Play the whole main job through the API of the running instance and print what came of it."""
    settings = services.settings
    folder = Path(os.environ.get("LOCAL_DIR", ROOT / ".local"))
    try:
        operator = json.loads((folder / "demo-people.json").read_text())["operator"]
    except OSError as error:
        raise click.ClickException("The demo world is not there; ./dev run makes it on its first start.") from error
    with tempfile.TemporaryDirectory() as scratch:
        cad = Path(scratch) / "solstice.glb"
        export_glb(PIECES["six-claw-solitaire"].build(), cad)
        player = Player(
            OverHttp(settings.base_url),
            _sandbox(services),
            (operator["email"], operator["password"]),
            list(photos) or _photos(),
            cad,
            click.echo,
        )
        try:
            player.play()
        except DemoFailed as error:
            click.echo(f"FAILED: {error}", err=True)
            sys.exit(1)
    sys.exit(0 if report(services, player) else 1)


def report(services: Services, player: Player) -> bool:
    """Print the closing table; whether the books balance."""
    with unit_of_work(services.engine, system("demo")) as session:
        sums = ledger.balances(session)
        wrong = ledger.problems(session)
        links = session.scalar(
            select(func.count()).select_from(CadLink).where(CadLink.order_id == player.made["order"])
        )
        used = session.scalar(
            select(func.count())
            .select_from(CadLink)
            .where(CadLink.order_id == player.made["order"], CadLink.used_at.is_not(None))
        )
        translated = session.scalar(
            select(func.count()).select_from(MessageTranslation).where(MessageTranslation.text.is_not(None))
        )
    click.echo("\nLedger (minor units; debit positive)")
    totals: dict[str, int] = {}
    for balance in sums:
        totals[balance.currency] = totals.get(balance.currency, 0) + balance.amount
        click.echo(f"  {balance.account:<50} {balance.amount:>14,} {balance.currency}")
    for currency, total in totals.items():
        click.echo(f"  {'sum':<50} {total:>14,} {currency}")
    mine = [m for m in player.sandbox.all_mails() if player.run_id in json.dumps(m["to"])]
    click.echo(f"CAD links minted {links}, files fetched {used}")
    click.echo(f"Mails to the four people: {len(mine)}")
    click.echo(f"Messages translated so far on this instance: {translated}")
    for line in wrong:
        click.echo(f"WRONG: {line}", err=True)
    return not wrong


def _photos() -> list[Path]:
    """Finished pictures of the piece itself."""
    return sorted((ROOT / "demo" / "pictures").glob("six-claw-solitaire-*.webp"))[:2]


def _sandbox(services: Services) -> acts.Sandbox:
    mail = os.environ.get("SANDBOX_MAIL_URL", "")
    if not mail or not services.settings.stripe_api_base:
        raise click.ClickException("This needs the local stand-ins of payments and mail; see docs/sandbox.md.")
    return acts.Sandbox(services.settings.stripe_api_base, mail)
