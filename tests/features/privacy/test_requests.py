"""A person's own data: asked for, copied, fetched; nobody else's in it."""

from typing import Any

import requests

from marketplace.privacy.rules import REQUEST
from tests.kit.people import Make
from tests.states.table import assert_table


def test_copy_holds_the_persons_data_and_nobody_elses(make: Make, run_jobs: Any) -> None:
    person, other = make.person("designer"), make.person("buyer")
    asked = person.api.post("/privacy/requests", {"kind": "access"})
    assert asked.status_code == 201
    assert asked.json["download"] is None
    run_jobs()
    seen = person.api.get(f"/privacy/requests/{asked.json['id']}").json
    assert seen["state"] == "done"
    copy = requests.get(seen["download"], timeout=60).text
    assert person.user.email in copy
    assert other.user.email not in copy
    assert person.user.password_hash not in copy
    assert other.api.get(f"/privacy/requests/{asked.json['id']}").status_code == 404


def test_second_request_of_a_kind_waits_for_the_first(make: Make) -> None:
    person = make.person("buyer")
    assert person.api.post("/privacy/requests", {"kind": "erase"}).status_code == 201
    assert person.api.post("/privacy/requests", {"kind": "erase"}).status_code == 409
    assert person.browser.get("/privacy-requests").status_code == 200


def test_states_of_data_requests() -> None:
    assert_table(
        REQUEST,
        {
            ("received", "finish", "system"): "done",
            ("received", "finish", "operator"): "done",
            ("received", "fail", "system"): "failed",
            ("failed", "finish", "system"): "done",
            ("failed", "finish", "operator"): "done",
        },
    )
