"""Every route, as every role, on one's own things and on other people's: who gets in, and what a refusal leaves.

Refusals are asked of an application without row security, so that none of them is the database's doing; what the
database does alone is in test_row_security.
"""

import pytest

from marketplace import features
from marketplace.policy.permissions import Permission
from marketplace.web.section import ROUTES
from tests.access.calling import OPEN, Caller, asked, callers, expected, path_of, plain, send, twins, words
from tests.access.rows import ROWS
from tests.kit.world import World

#: Codes with which the policy itself refuses; a thing's own people never get one.
_POLICY = {"forbidden", "scope_missing", "email_unconfirmed", "not_approved", "csrf"}
#: The log holds what a person asked for and was refused; see the test of its own below.
#: Where the operator finds what concerns everybody: the audit log, and the invoices over its own fee.
_AUDIT = {"audit.index", "api_audit.audit", "api_invoices.list_invoices"}
#: What the catalog shows everybody: a listed design, its photo, the studio.
_SHOWN = {"design", "photo", "changed_org"}
ENDPOINTS = sorted(ROUTES)
READING = [name for name in ENDPOINTS if ROUTES[name].methods == ("GET",) and not (name in ROWS and ROWS[name].spends)]
CHANGING = [name for name in ENDPOINTS if ROUTES[name].methods != ("GET",)]
GUARDED = [name for name in ENDPOINTS if ROUTES[name].needs is not Permission.PUBLIC]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert features.OPEN_ENDPOINTS.isdisjoint(ROUTES)
    assert set(ROUTES) - set(ROWS) == set(), "routes nobody said how to call"
    assert set(ROWS) - set(ROUTES) == set(), "rows of routes that are gone"


def test_every_route_takes_exactly_one_method() -> None:
    assert [name for name, spec in ROUTES.items() if len(spec.methods) != 1] == []


@pytest.mark.parametrize("endpoint", GUARDED)
def test_who_may_not_is_refused_and_only_the_audit_log_grows(world: World, endpoint: str) -> None:
    spec, row = ROUTES[endpoint], ROWS[endpoint]
    path = path_of(spec, row, world, world.ours)
    none = path_of(spec, row, world, world.ours, **twins(row, world.ours))
    ids = [world.ours.ids[name] for name in row.args.values() if name in world.ours.ids]
    before, last = world.fingerprint(), world.last_audit_id()
    refused: list[tuple[Caller, int]] = []
    wrong = []
    for caller in callers(world):
        wanted = expected(spec, row, caller, world.ours)
        if wanted == OPEN:
            continue
        answer = send(world.cut_off, spec, row, caller, path, world.ours)
        body = words(answer)
        if wanted == 401 and not spec.api and spec.methods == ("GET",):
            good = answer.status_code == 303 and answer.location.startswith("/sign-in?next=")
        else:
            good = answer.status_code == wanted
        if not good:
            wrong.append(f"{caller.name}: {answer.status_code} instead of {wanted}")
        leaked = [word for word in world.ours.secrets if word in body]
        assert leaked == [] or caller.side is world.ours, f"{caller.name} reads {leaked}"
        if caller.person:
            refused.append((caller, wanted))
        if wanted == 404:
            twin = send(world.cut_off, spec, row, caller, none, world.ours)
            refused.append((caller, wanted))
            assert (twin.status_code, plain(twin, list(twins(row, world.ours).values()))) == (
                answer.status_code,
                plain(answer, ids),
            ), f"{caller.name} can tell a foreign thing from a missing one"
            assert set(twin.headers.keys()) == set(answer.headers.keys())
    assert wrong == []
    assert world.fingerprint() == before
    events = world.refusals_since(last)
    assert [e.user_id for e in events] == [c.person.user.id for c, _status in refused if c.person]
    assert {e.outcome for e in events} <= {"refused"}
    assert {asked(e.details) for e in events} <= {spec.rule}
    if row.args:
        assert {bool(e.subject) for e in events} <= {True}
    world.forget_limits()


@pytest.mark.parametrize("endpoint", READING)
def test_who_may_read_reads_and_nothing_changes(world: World, endpoint: str) -> None:
    spec, row = ROUTES[endpoint], ROWS[endpoint]
    before = world.fingerprint()
    readers = 0
    for caller in callers(world):
        for owner in (world.ours, world.theirs):
            if expected(spec, row, caller, owner) != OPEN or (owner is world.theirs and not row.args):
                continue
            answer = send(world, spec, row, caller, path_of(spec, row, world, owner), owner)
            told = words(answer)
            assert answer.status_code in row.answers, f"{caller.name}: {answer.status_code} {told[:500]}"
            readers += 1
            for other in (world.ours, world.theirs):
                if caller.side is not other and spec.needs is not Permission.VETTING_REVIEW:
                    leaked = [word for word in other.secrets if word in told]
                    assert leaked == [], f"{caller.name} reads {leaked} on {endpoint}"
                    private = {k: v for k, v in other.ids.items() if k not in _SHOWN and v in told}
                    assert private == {} or row.shared or endpoint in _AUDIT, (
                        f"{caller.name} finds {private} on {endpoint}"
                    )
    assert readers
    assert world.fingerprint() == before
    world.forget_limits()


@pytest.mark.parametrize("endpoint", CHANGING)
def test_who_may_change_is_let_through(world: World, endpoint: str) -> None:
    spec, row = ROUTES[endpoint], ROWS[endpoint]
    before = world.fingerprint()
    let_in = 0
    for caller in callers(world):
        if expected(spec, row, caller, world.ours) != OPEN or (caller.person is None and endpoint in _NEEDS_PERSON):
            continue
        with world.throwaway() as scratch:
            path = path_of(spec, row, scratch, world.ours)
            answer = send(scratch, spec, row, caller, path, world.ours)
        told = words(answer)
        status = answer.status_code
        let_in += 1
        if caller.role in row.not_now and status == 403:
            code = answer.json["code"] if spec.api else ""
            assert code not in _POLICY, f"{caller.name}: {told[:500]}"
            continue
        allowed = status < 500 and status not in {401, 403, 404}
        assert allowed, f"{caller.name}: {status} {told[:800]}"
    assert let_in
    assert world.fingerprint() == before
    world.forget_limits()


#: Public routes whose row speaks for somebody in particular.
_NEEDS_PERSON = {"api_accounts.create_token"}


def test_a_cad_link_opens_for_its_workshop_or_without_a_session_and_for_nobody_else(world: World) -> None:
    name = "manufacturing.fetch"
    for caller in callers(world):
        with world.throwaway() as scratch:
            path = path_of(ROUTES[name], ROWS[name], scratch, world.ours)
            answer = send(scratch, ROUTES[name], ROWS[name], caller, path, world.ours)
        owner = caller.person is None or caller.person is world.ours.people["manufacturer"]
        assert answer.status_code == (303 if owner else 404), caller.name
        if owner:
            assert "X-Amz-Signature" in answer.location
        else:
            assert "X-Amz" not in words(answer)


def test_the_audit_log_tells_an_organization_of_its_own_deeds_and_things_only(world: World) -> None:
    for mine, other in ((world.ours, world.theirs), (world.theirs, world.ours)):
        foreign = set(other.ids.values())
        for person in mine.people.values():
            items = world.api_of(person).get("/audit?limit=100").json["items"]
            assert items
            for item in items:
                if item["subject"] in foreign:
                    assert item["by_us"], item
                    assert item["outcome"] == "refused", item
                assert item["by_us"] or item["organization"] not in {p.org.id for p in other.people.values()}, item
    world.forget_limits()
