"""What the load runs on: museum records (or made-up ones) as a catalog, and a thread of 20 messages."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.app import create_app
from marketplace.db import jobs
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from tests.kit import museum
from tests.kit.instance import Instance
from tests.kit.people import Make, Person
from workers.registry import BINDINGS
from workers.run import execute

ROOT = Path(__file__).resolve().parents[1]
STUDIOS = 6
MADE_UP = 4_284
MESSAGES = 20
TERMS = {
    "kind": "non_exclusive",
    "territories": ["DE", "FR"],
    "channels": ["online"],
    "term_months": 24,
    "fee": {"amount": 125_000, "currency": "USD"},
    "royalty_percent": 7.5,
}
_KINDS = ("ring", "pendant", "necklace", "bracelet", "earring", "brooch_pin", "button")
_METALS = ("gold", "silver", "gilt", "copper_alloy", "platinum")
_STONES = ("pearl", "diamond", "enamel", "glass", "jade", "ruby")


@dataclass(frozen=True)
class World:
    """Who looks, and at what."""

    cookie: str
    design_id: str
    thread_id: str
    designs: int
    source: str


def fill(instance: Instance) -> World:
    """Make the world through the product's own code; the records go in by bulk insert."""
    app = create_app(instance.settings)
    make = Make(app, instance.background)
    studios = [make.org("designer", name=f"Studio {n}") for n in range(STUDIOS)]
    designer, buyer = make.person("designer", org=studios[-1]), make.person("buyer")
    found, source = _records()
    ids = museum.list_all(instance.background, studios, found)
    with instance.owner.begin() as connection:
        connection.exec_driver_sql("analyze")  # as autovacuum would soon
    mine = ids[len(ids) - len(ids) % STUDIOS - 1]
    thread_id = _thread(instance, designer, buyer, mine)
    cookie = buyer.browser.client.get_cookie("touchstone_session", domain="localhost")
    assert cookie is not None
    app.extensions["services"].engine.dispose()
    return World(f"touchstone_session={cookie.value}", mine, thread_id, len(ids), source)


def _records() -> tuple[list[dict[str, Any]], str]:
    for folder in (os.environ.get("TOUCHSTONE_DATA"), ROOT.parent / "shared" / "data"):
        if folder and (Path(folder) / "catalog" / "museum.jsonl").is_file():
            return museum.records(Path(folder)), "museum records"
    return [_made_up(n) for n in range(MADE_UP)], "made-up records"


def _made_up(number: int) -> dict[str, Any]:
    kind, metal, stone = _KINDS[number % 7], _METALS[number % 5], _STONES[number % 6]
    return {
        "id": f"made:{number}",
        "title": f"{metal} {kind} no. {number}",
        "category": kind,
        "materials": [metal, stone],
        "medium": f"{metal} and {stone}",
        "description": f"A {kind} of {metal} with {stone}, drawn for the load.",
        "maker": None,
        "culture": None,
        "date": str(1800 + number % 200),
        "image_urls": ["picture"] if number % 2 else [],
    }


def _thread(instance: Instance, designer: Person, buyer: Person, design_id: str) -> str:
    opened = buyer.api.post(f"/designs/{design_id}/negotiations", {"terms": TERMS, "message": "We like this piece."})
    if opened.status_code != 201:
        raise RuntimeError(opened.text)
    thread_id = str(opened.json["id"]) if opened.json else ""
    for number in range(1, MESSAGES):
        person, words = (designer, "感谢您的报价。我们最多可以出到") if number % 2 else (buyer, "We can go up to")
        text = f"{words} {2_000 + number * 10} USD."
        answer = person.api.post(f"/negotiations/{thread_id}/messages", {"text": text})
        if answer.status_code not in {200, 201}:
            raise RuntimeError(answer.text)
    _run_jobs(instance)
    return thread_id


def _run_jobs(instance: Instance) -> None:
    with unit_of_work(instance.background.engine, system("bench")) as session:
        due = jobs.due(session, limit=500, resend_after=jobs.LEASE)
    for job_id, _name, _attempt in due:
        execute(instance.background, BINDINGS, job_id)
