"""Museum records as listed designs: a catalog of real size and real untidiness. Prices are invented and say so."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from marketplace.accounts.models import Organization
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design, Fact
from marketplace.designs.words import search_text
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.ids import new_id
from marketplace.services import Services

INVENTED = "The license fee is invented for testing."
BATCH = 500
#: So many neighbors are listed in the same moment, so that only the id tells their order.
SAME_MOMENT = 7

_CATEGORIES = {"earring": "earrings", "brooch_pin": "brooch", "cufflink_stud": "cufflinks"}
_KEPT = frozenset({"ring", "pendant", "necklace", "bracelet"})
_METALS = frozenset(
    {"gold", "silver", "platinum", "copper_alloy", "gilt", "iron_steel", "aluminium", "tin_lead_pewter"}
)
#: What a studio that writes in two languages adds.
_CHINESE = {
    "ring": "戒指",
    "pendant": "吊坠",
    "necklace": "项链",
    "bracelet": "手链",
    "earrings": "耳环",
    "brooch": "胸针",
}
_CHINESE_METALS = {"gold": "黄金", "silver": "白银", "platinum": "铂金"}


def records(folder: Path) -> list[dict[str, Any]]:
    """Every record of the museum file, in its order."""
    with (folder / "catalog" / "museum.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def category(record: dict[str, Any]) -> str:
    """Our category for the museum's."""
    found = str(record["category"])
    return _CATEGORIES.get(found, found if found in _KEPT else "other")


def list_all(services: Services, studios: Sequence[Organization], found: Sequence[dict[str, Any]]) -> list[str]:
    """Put the records into the catalog, in turn to each studio; the ids in the order of the records.

    The first studio writes its descriptions in Chinese too. Newest is the last record.
    """
    began, ids = clock.now() - timedelta(days=60), []
    rows, weights = [], []
    for number, record in enumerate(found):
        studio = number % len(studios)
        row = _design(record, studios[studio].id, chinese=studio == 0)
        row["listed_at"] = row["created_at"] = began + timedelta(minutes=number // SAME_MOMENT)
        ids.append(row["id"])
        rows.append(row)
        weights.append(_weight(record, row["id"]))
    for start in range(0, len(rows), BATCH):
        with unit_of_work(services.engine, system("test")) as session:
            session.execute(insert(Design), rows[start : start + BATCH])
            session.execute(insert(Fact), [w for w in weights[start : start + BATCH] if w])
    return ids


def _design(record: dict[str, Any], org_id: str, *, chinese: bool) -> dict[str, Any]:
    title, kind = str(record["title"])[:200], category(record)
    metals = [m for m in record["materials"] if m in _METALS]
    stones = [m for m in record["materials"] if m not in _METALS]
    words = [str(record[k]) for k in ("description", "medium", "maker", "culture", "date") if record[k]]
    if chinese:
        words.append(
            "，".join([_CHINESE.get(kind, "首饰"), *(_CHINESE_METALS[m] for m in metals if m in _CHINESE_METALS)])
        )
    description = ". ".join([*words, INVENTED])
    key = hashlib.sha256(str(record["id"]).encode()).hexdigest()
    return {
        "id": new_id("dsn"),
        "org_id": org_id,
        "title": title,
        "category": kind,
        "description": description,
        "details": {"metals": metals, "stones": stones},
        "list_price_amount": 50_000 + int(key[:6], 16) % 2_000 * 500,
        "list_price_currency": "USD",
        "no_cad_reason": "A museum's record.",
        "state": "listed",
        "search": search_text([title, kind, *metals, *stones, description]),
        "cover": {"key": f"derived/{key}/hero-640.webp", "width": 640, "height": 480, "placeholder": None}
        if record["image_urls"]
        else None,
        "cad_pins": [],
        "version": 1,
    }


def _weight(record: dict[str, Any], design_id: str) -> dict[str, Any] | None:
    """A weight for two of three, invented from the id: the museums give none."""
    number = int(hashlib.sha256(str(record["id"]).encode()).hexdigest()[6:12], 16)
    if number % 3 == 0:
        return None
    return {
        "design_id": design_id,
        "name": "weight_18k_yellow",
        "value": round(1 + number % 4_000 / 100, 2),
        "unit": "g",
        "source": "human",
        "method": INVENTED,
        "confidence": 0.5,
        "created_at": clock.now(),
    }
