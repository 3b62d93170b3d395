"""Moments, dates and versions that nobody means: they are refused in words or read as the nearest that can be."""

from typing import Any

import pytest
from sqlalchemy import select

from marketplace.licensing.models import Negotiation, ReadMark
from tests.features.licensing.conftest import Pair, sheet
from tests.features.licensing.test_negotiations import code
from tests.features.licensing.test_thread import page_of

FAR = 3_000_000_000


def test_a_side_that_has_read_nothing_yet_breaks_the_thread_for_nobody(pair: Pair, session: Any) -> None:
    key = pair.open()["id"]
    path = f"/negotiations/{key}/read"
    assert pair.designer.api.post(path, {"until": "0001-01-01T00:00:00+14:00"}).status_code == 204
    assert pair.designer.browser.post(path, {"until": "0001-01-01T00:00:00+14:00"}).status_code == 204
    for person in (pair.designer, pair.buyer):
        assert page_of(person, key)
        assert person.api.get(f"/negotiations/{key}").status_code == 200
    began = session.get_one(Negotiation, key).created_at
    assert session.scalars(select(ReadMark.read_at).where(ReadMark.org_id == pair.designer.org.id)).one() >= began


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "x"])
def test_an_address_of_a_thread_may_name_any_moment(pair: Pair, moment: str) -> None:
    key = pair.open()["id"]
    browser = pair.designer.browser
    for where, query in (("", {"before": f"{moment}~msg_1"}), ("/news", {"after": moment})):
        assert browser.get(f"/negotiations/{key}{where}", query_string=query).status_code in {200, 204}


@pytest.mark.parametrize(
    ("field", "value"), [("start", "9999-06-01"), ("valid_until", "9999-12-31T23:59:59-12:00")], ids=["start", "until"]
)
def test_terms_that_reach_past_the_calendar_are_refused_at_the_field(pair: Pair, field: str, value: str) -> None:
    terms = sheet(kind="exclusive", **{field: value})
    for path in (f"/designs/{pair.design_id}/negotiations", f"/catalog/{pair.design_id}/rights"):
        answer = pair.buyer.api.post(path, {"terms": terms})
        assert code(answer, 422) == "invalid"
        assert list(answer.get_json()["errors"]) == [f"/terms/{field}"]
    form = {"kind": "exclusive", "where": "world", "term_months": "12", "fee": "5", "design": pair.design_id}
    assert pair.buyer.browser.post("/negotiations", {**form, field: value}).status_code == 422


def test_a_version_that_no_negotiation_can_have_is_refused(pair: Pair) -> None:
    path = f"/negotiations/{pair.open()['id']}"
    offer = {"base_version": FAR, "terms": sheet()}
    for way, body in (("accept", {"version": FAR}), ("offers", offer), ("hold", {"version": FAR, "days": 3})):
        answer = pair.designer.api.post(f"{path}/{way}", body)
        assert code(answer, 422) == "invalid", way
    assert pair.designer.browser.post(f"{path}/accept", {"version": FAR, "terms_hash": "a"}).status_code == 422
