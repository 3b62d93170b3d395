"""Real negotiation messages in six languages through one thread, each read in the other side's language."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.services import Services
from tests.kit.people import Make, Person

TERMS = {
    "kind": "non_exclusive",
    "territories": ["DE", "FR"],
    "channels": ["online"],
    "term_months": 24,
    "fee": {"amount": 125_000, "currency": "USD"},
    "royalty_percent": 7.5,
}
#: Languages whose messages the detection may take for another one, of those that are told apart.
MISTAKEN = 1


def thread_between(services: Services, designer: Person, buyer: Person) -> str:
    """An open negotiation over a listed design."""
    with unit_of_work(services.engine, system("test")) as session:
        design = Design(
            org_id=designer.org.id,
            title="Onda",
            category="ring",
            description="A wave in gold.",
            state="listed",
            listed_at=clock.now(),
            cad_pins=[{"asset_id": "ast_ring", "sha256": "ab" * 32, "filename": "onda.stl", "size": 1}],
        )
        session.add(design)
        session.flush()
        design_id = design.id
    opened = buyer.api.post(f"/designs/{design_id}/negotiations", {"terms": TERMS})
    assert opened.status_code == 201, opened.text
    return str(opened.json["id"])


def messages_for(reader: Person, thread: str, lang: str) -> dict[str, dict[str, Any]]:
    """Every message of the thread by its text, over as many pages as there are."""
    found: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = reader.api.get(f"/negotiations/{thread}/messages?lang={lang}&cursor={cursor}").json
        found |= {item["text"]: item for item in page["items"]}
        cursor = page["next_cursor"] or ""
        if not cursor:
            return found


def test_real_messages_keep_their_figures_and_names_or_say_that_they_were_not_checked(
    make: Make, services: Services, run_jobs: Callable[..., Any], real_data: Path
) -> None:
    lines = (real_data / "messages" / "messages.jsonl").read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    designer, buyer = make.person("designer", locale="en"), make.person("buyer", locale="zh_Hans")
    thread = thread_between(services, designer, buyer)
    for row in told:
        writer = designer if row["from"] == "designer" else buyer
        answer = writer.api.post(f"/negotiations/{thread}/messages", {"text": row["text"]})
        assert answer.status_code in {200, 201}, answer.text
    run_jobs()
    in_english, in_chinese = messages_for(designer, thread, "en"), messages_for(buyer, thread, "zh_Hans")
    assert set(in_english) == set(in_chinese) == {row["text"] for row in told}
    wrong, translated = [], 0
    for row in told:
        item = (in_chinese if row["from"] == "designer" else in_english)[row["text"]]
        if item["lang"] != row["lang"]:
            wrong.append((row["id"], item["lang"]))
        made = item["translation"]
        if made is None:
            assert item["lang"] == ("zh-Hans" if row["from"] == "designer" else "en"), row["id"]
            continue
        translated += 1
        assert made["status"] in {"ready", "figures_unchecked"}, row["id"]
        if made["status"] == "ready":
            assert [word for word in row["keep"] if word not in made["text"]] == [], row["id"]
    assert len(wrong) <= MISTAKEN, wrong
    assert translated >= 20
