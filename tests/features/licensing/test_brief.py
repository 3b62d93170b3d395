"""The customization brief: what is taken, one canonical form, what differs, what it weighs, what it takes to agree."""

import random
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.gateways.casting import ring_size
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money
from marketplace.licensing.brief.consent import needed, require_consent
from marketplace.licensing.brief.deltas import Delta, in_order
from marketplace.licensing.brief.diff import diff
from marketplace.licensing.brief.effects import Span, price_of, weigh
from marketplace.licensing.terms import Terms, canonical, changed_fields, terms_hash
from marketplace.services import Services
from tests.features.licensing.conftest import Pair, sheet

METAL = {"kind": "metal", "to": "platinum_950_ru"}
SIZE = {"kind": "ring_size", "from": "US 6.5", "to": "US 7"}
PIN = {"kind": "edit", "note": "Softer edge", "point": [0, 8.5, 1.25]}
FACTS: list[dict[str, Any]] = [
    {"name": "volume", "value": 800.0, "source": "measured"},
    {"name": "inner_diameter", "value": 16.916, "source": "measured"},
    {"name": "stone_carat", "value": 1.0, "source": "measured"},
    {"name": "weight_18k_yellow", "value": 12.44, "source": "measured", "low": 10.93, "high": 11.86},
    {"name": "weight_platinum_950_ru", "value": 16.56, "source": "measured", "low": 14.19, "high": 15.73},
    *({"name": f"shank_width_{a}", "value": 4.0, "source": "measured"} for a in (0, 90, 180, 270)),
    *({"name": f"shank_thickness_{a}", "value": 1.5, "source": "measured"} for a in (0, 90, 180, 270)),
]


def delta(**given: Any) -> Delta:
    return Delta.model_validate(given)


def terms(**changes: Any) -> Terms:
    return Terms.model_validate(sheet(**changes))


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "color", "to": "red"},
        {"kind": "metal"},
        {"kind": "metal", "to": "gold"},
        {"kind": "metal", "to": "18k_rose", "from": "18k_rose"},
        {"kind": "metal", "to": "18k_rose", "body": "shank"},
        {"kind": "ring_size", "to": "6.5"},
        {"kind": "ring_size", "to": "US 99"},
        {"kind": "engraving", "to": "x" * 61},
        {"kind": "engraving", "to": "a\u202eb"},
        {"kind": "edit", "note": "thinner"},
        {"kind": "edit", "body": "shank"},
        {"kind": "edit", "note": "thinner", "body": "shank", "to": "x"},
        {"kind": "edit", "note": "thinner", "point": [1, 2]},
        {"kind": "edit", "note": "thinner", "point": [1, 2, float("nan")]},
        {"kind": "edit", "note": "thinner", "point": [1, 2, 501]},
        {"kind": "edit", "note": "thinner", "body": "shank", "color": "red"},
    ],
)
def test_a_change_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Delta.model_validate(given)


def test_a_ring_size_is_written_in_one_way_whatever_was_typed() -> None:
    assert [ring_size(t).name for t in ("us 6 1/2", "US6½", "US 6.50", "eu54", "uk n 1/2", "JP 13", "hk 12")] == [
        "US 6.5", "US 6.5", "US 6.5", "EU 54", "UK N½", "JP 13", "HK 12"
    ]  # fmt: skip
    assert round(ring_size("US 7").diameter - ring_size("US 6").diameter, 4) == round(0.032 * 25.4, 4)


def test_one_brief_has_one_hash_and_no_brief_has_the_hash_it_always_had() -> None:
    one = terms(derivatives="adapt", brief=[METAL, SIZE, PIN])
    other = terms(derivatives="adapt", brief=[{**PIN, "point": [-0.0, 8.504, 1.25]}, SIZE, METAL, METAL])
    assert one.hash() == other.hash() == terms_hash(one.to_json()) == Terms.model_validate(one.to_json()).hash()
    assert terms(brief=[]).hash() == terms().hash()
    assert b"brief" not in canonical(terms().to_json())
    assert one.to_json()["brief"][2] == PIN
    assert changed_fields(terms(derivatives="adapt").to_json(), one.to_json()) == ["brief"]
    with pytest.raises(ValidationError, match="one metal"):
        terms(brief=[METAL, {"kind": "metal", "to": "18k_rose"}])


def random_brief(dice: random.Random) -> list[Delta]:
    made = []
    for _ in range(dice.randrange(7)):
        kind = dice.choice(["stones", "engraving", "edit"])
        place: dict[str, Any] = dice.choice(
            [{"body": dice.choice(["shank", "head"])}, {"point": [dice.randrange(3), 1, 2]}]
        )
        if kind == "edit":
            made.append(delta(kind=kind, note=dice.choice("abc"), **place))
        else:
            made.append(
                delta(kind=kind, to=dice.choice(["ruby", "opal", "N"]), **(place if dice.random() < 0.5 else {}))
            )
    if dice.random() < 0.6:
        made.append(delta(kind="metal", to=dice.choice(["18k_rose", "sterling"])))
    if dice.random() < 0.6:
        made.append(delta(kind="ring_size", to=dice.choice(["US 6", "EU 52"])))
    return made


def test_any_brief_reads_back_in_any_order_and_its_difference_leads_from_one_to_the_other() -> None:
    dice = random.Random(4)
    for _ in range(400):
        old, new = in_order(random_brief(dice)), in_order(random_brief(dice))
        shuffled = [*new, *new]
        dice.shuffle(shuffled)
        assert in_order(shuffled) == new
        stored = [item.model_dump(mode="json") for item in new]
        assert in_order([Delta.model_validate(item) for item in stored]) == new
        found = diff(old, new)
        assert [item.new for item in found if item.new] == new
        assert sorted(item.old.rank for item in found if item.old) == [item.rank for item in old]
        assert all(item.old is None or item.new is None or item.old.kind == item.new.kind for item in found)
        assert [item.moved for item in diff(new, new)] == [False] * len(new)


def test_another_metal_weighs_what_the_cad_measures() -> None:
    found = weigh(FACTS, [delta(**METAL)], metals=["18k_yellow"])
    (effect,) = found.effects
    assert (effect.basis, effect.why, effect.grams) == ("measured", "densities", Span(Decimal("4.12"), Decimal("4.12")))
    assert found.before
    assert found.after
    assert found.before.finished == Span(Decimal("10.93"), Decimal("11.86"))
    assert found.after.grams == Span(Decimal("16.56"), Decimal("16.56"))
    assert found.price is None, "no price is made up"


def test_another_size_is_estimated_from_bore_and_shank_alone() -> None:
    found = weigh(FACTS, [delta(**SIZE)], metals=["18k_yellow"])
    (effect,) = found.effects
    assert (effect.basis, effect.why) == ("estimated", "shank")
    # pi x 0.4068 mm longer (US 7 is 17.3228 mm), 4 x 1.5 mm, 15.55 g/cm3: 0.12 g flat, 0.09 g half round.
    assert effect.grams == Span(Decimal("0.09"), Decimal("0.12"))
    smaller = weigh(FACTS, [delta(kind="ring_size", to="US 6")], metals=["18k_yellow"])
    assert smaller.grams is not None
    assert smaller.grams.high < 0
    blind = weigh([f for f in FACTS if not f["name"].startswith("shank")], [delta(**SIZE)])
    assert (blind.effects[0].basis, blind.effects[0].why, blind.effects[0].grams) == ("unknown", "no_shank", None)


def test_stones_weigh_by_gravity_and_the_rest_says_that_it_is_not_known() -> None:
    found = weigh(FACTS, [delta(kind="stones", **{"from": "diamond", "to": "sapphire"}), delta(**PIN)])
    assert found.effects[0].carats == Span(Decimal("0.14"), Decimal("0.14"))
    assert found.effects[1].basis == "unknown"
    assert weigh([], [delta(**METAL)]).effects[0].why == "not_measured"
    assert weigh([], []).before is None


def test_the_price_is_the_shown_grams_times_the_studios_price_NEG_12() -> None:
    prices = {"18k_yellow": Money(9_871, "USD"), "platinum_950_ru": Money(3_333, "USD")}
    found = weigh(FACTS, [delta(**METAL), delta(**SIZE)], metals=["18k_yellow"], prices=prices)
    assert found.before
    assert found.after
    assert found.before.price
    assert found.after.price
    assert found.price
    assert found.before.price == (price_of(Decimal("12.44"), prices["18k_yellow"]),) * 2
    assert found.after.price == tuple(
        price_of(grams, prices["platinum_950_ru"]) for grams in (found.after.grams.low, found.after.grams.high)
    )
    assert found.price[0] == found.after.price[0] - found.before.price[1]
    dice = random.Random(12)
    for _ in range(500):
        grams, cents = dice.randrange(1, 100_000), dice.randrange(1, 20_000)
        exact = Decimal(grams) / 100 * cents
        assert abs(price_of(Decimal(grams) / 100, Money(cents, "JPY")).amount - exact) <= Decimal("0.5")


def test_a_brief_needs_as_much_consent_as_its_largest_change() -> None:
    assert needed([]) == needed([delta(**METAL)]) == needed([delta(kind="engraving", to="N & A")]) == "none"
    assert needed([delta(**METAL), delta(**SIZE)]) == "resize"
    assert needed([delta(**SIZE), delta(**PIN)]) == "adapt"
    with pytest.raises(Invalid) as refused:
        require_consent(terms(derivatives="resize", brief=[PIN]))
    assert (refused.value.code, refused.value.extra) == ("derivatives_needed", {"raise": {"derivatives": "adapt"}})
    require_consent(terms(derivatives="adapt", brief=[PIN]))
    with pytest.raises(Invalid) as unlicensed:
        require_consent(terms(metals=["gold"], brief=[METAL]))
    assert unlicensed.value.code == "metal_not_licensed"
    require_consent(terms(metals=["platinum"], brief=[METAL]))


def test_an_offer_whose_brief_the_terms_do_not_allow_is_refused_with_what_to_raise(pair: Pair) -> None:
    body = {"terms": sheet(brief=[PIN])}
    answer = pair.buyer.api.post(f"/designs/{pair.design_id}/negotiations", body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "derivatives_needed")
    assert answer.get_json()["raise"] == {"derivatives": "adapt"}
    assert list(answer.get_json()["errors"]) == ["/terms/brief"]


def test_accepting_a_brief_is_the_designers_consent_on_record(pair: Pair, services: Services, session: Any) -> None:
    pair.agree(derivatives="adapt", brief=[PIN, SIZE])
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "brief.consented")).one()
    assert event.details["consented_by"] == "acceptance"
    assert event.details["user"] == pair.designer.user.id
    assert (event.details["derivatives"], event.details["changes"], event.details["version"]) == ("adapt", 2, 1)
