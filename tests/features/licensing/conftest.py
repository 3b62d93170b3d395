"""Designers, buyers, and designs to negotiate over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.services import Services
from tests.kit.people import Make, Person

CAD = {"asset_id": "ast_ring", "sha256": "ab" * 32, "filename": "onda.stl", "size": 1234}


def sheet(**changes: Any) -> dict[str, Any]:
    """Terms that are fine as they are; None removes a field."""
    terms: dict[str, Any] = {
        "kind": "non_exclusive",
        "territories": ["DE", "FR"],
        "channels": ["online"],
        "term_months": 24,
        "fee": {"amount": 125000, "currency": "USD"},
        "royalty_percent": 7.5,
    }
    return {k: v for k, v in {**terms, **changes}.items() if v is not None}


@dataclass
class Pair:
    """A designer and a buyer over one listed design."""

    designer: Person
    buyer: Person
    design_id: str

    def open(self, **terms: Any) -> dict[str, Any]:
        """The buyer opens a negotiation over the API."""
        answer = self.buyer.api.post(f"/designs/{self.design_id}/negotiations", {"terms": sheet(**terms)})
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def agree(self, **terms: Any) -> dict[str, Any]:
        """Open and accept; the answer of the acceptance."""
        opened = self.open(**terms)
        answer = self.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1})
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


@pytest.fixture
def listed(services: Services) -> Callable[..., str]:
    """Make a listed design of an organization; returns its id."""

    def make_design(org_id: str, title: str = "Onda ring") -> str:
        with unit_of_work(services.engine, system("test")) as session:
            row = Design(
                org_id=org_id,
                title=title,
                category="ring",
                description="A wave in gold.",
                state="listed",
                listed_at=clock.now(),
                list_price_amount=150000,
                list_price_currency="USD",
                cad_pins=[CAD],
            )
            session.add(row)
            session.flush()
            return row.id

    return make_design


@pytest.fixture
def pair(make: Make, listed: Callable[..., str]) -> Pair:
    """Maya the designer (English) and Chen Li the buyer (Chinese)."""
    designer = make.person("designer", name="Maya Rossi")
    buyer = make.person("buyer", name="陈丽", locale="zh_Hans")
    return Pair(designer, buyer, listed(designer.org.id))
