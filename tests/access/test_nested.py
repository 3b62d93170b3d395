"""Two ids in one request, one of them somebody else's: the other trade's thing does not come along (AUTHZ-04)."""

from typing import Any

import pytest

from tests.kit.people import Person
from tests.kit.trade import Side
from tests.kit.world import World

#: (who, method, address on our thing with their id in it, body); `{name}` is ours, `{their_name}` theirs.
MIXED: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("designer", "GET", "/designs/{draft}/words/{their_story}", {}),
    ("designer", "POST", "/designs/{draft}/words/{their_story}", {"title": "T", "body": "B", "version": "1"}),
    ("designer", "POST", "/designs/{draft}/words/{their_story}/approve", {"version": "1"}),
    ("designer", "POST", "/designs/{design}/words/{story}/approve", {"version": "1"}),
    ("designer", "POST", "/designs/{draft}/pictures", {"picture": "{their_draft_photo}.photo", "action": "hide"}),
    ("designer", "API POST", "/designs/{design}/lookbook/{their_photo}/approve", {}),
    ("manufacturer", "GET", "/orders/{making}/evidence/{their_evidence}", {}),
    ("manufacturer", "GET", "/orders/{awarded}/evidence/{evidence}", {}),
    ("manufacturer", "POST", "/orders/{making}/evidence/{their_evidence}/complete", {}),
    ("manufacturer", "API POST", "/orders/{making}/stages", {"stage": "wax", "evidence": ["{their_evidence}"]}),
    ("manufacturer", "API POST", "/orders/{making}/cad-links", {"asset": "{their_cad}"}),
    ("manufacturer", "POST", "/orders/{making}/cad-links", {"asset": "{their_cad}"}),
    ("manufacturer", "API POST", "/orders/{making}/cad-links", {"asset": "{draft_photo}"}),
    ("production_manager", "API POST", "/orders/{quoting}/award", {"quote": "{their_quote}"}),
    ("production_manager", "POST", "/orders/{quoting}/award", {"quote": "{their_quote}"}),
    ("production_manager", "API POST", "/orders/{placed}/rfqs", {"manufacturers": ["{their_buyer_org}"]}),
    ("buyer", "API POST", "/designs/{their_draft}/negotiations", {"terms": {}}),
    ("buyer", "POST", "/negotiations", {"design": "{their_draft}"}),
    ("buyer", "POST", "/preferences/organization", {"organization": "{their_buyer_org}"}),
)


def _filled(value: Any, ours: Side, theirs: Side) -> Any:
    if isinstance(value, dict):
        return {k: _filled(v, ours, theirs) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(v, ours, theirs) for v in value]
    if not isinstance(value, str):
        return value
    names = {**ours.ids, **{f"their_{k}": v for k, v in theirs.ids.items()}}
    return value.format(**names, their_buyer_org=theirs.people["buyer"].org.id)


def _twin(value: Any, theirs: Side) -> Any:
    """The same with ids that nothing has in place of theirs."""
    if isinstance(value, dict):
        return {k: _twin(v, theirs) for k, v in value.items()}
    if isinstance(value, list):
        return [_twin(v, theirs) for v in value]
    if isinstance(value, str):
        for one in [*theirs.ids.values(), theirs.people["buyer"].org.id]:
            value = value.replace(one, one[:-8] + "00000000")
    return value


@pytest.mark.parametrize(("role", "method", "path", "body"), MIXED, ids=[f"{m[0]} {m[1]} {m[2]}" for m in MIXED])
def test_a_foreign_id_inside_is_as_good_as_none(
    world: World, role: str, method: str, path: str, body: dict[str, Any]
) -> None:
    person = world.ours.people[role]
    path, body = _filled(path, world.ours, world.theirs), _filled(body, world.ours, world.theirs)
    before = world.fingerprint()
    status, told = _send(world, person, method, path, body)
    assert 400 <= status < 500, told
    assert status not in {401, 405}, told
    for word in world.theirs.secrets:
        assert word not in told
    twin = _send(world, person, method, _twin(path, world.theirs), _twin(body, world.theirs))
    assert twin[0] == status
    assert world.fingerprint() == before
    world.forget_limits()


def _send(world: World, person: Person, method: str, path: str, body: dict[str, Any]) -> tuple[int, str]:
    if method.startswith("API "):
        answer = world.cut_off.api_of(person).request(method[4:], path, body)
    elif method == "GET":
        answer = world.cut_off.browser_of(person).get(path)
    else:
        answer = world.cut_off.browser_of(person).post(path, data=body)
    return answer.status_code, answer.get_data(as_text=True)
