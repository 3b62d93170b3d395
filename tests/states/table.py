"""Checks a state machine against a complete expected table: what is not listed must be refused."""

import itertools

import pytest

from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.kernel.states import Machine

Expected = dict[tuple[str, str, str], str]


def assert_table(machine: Machine, expected: Expected, *, strangers: tuple[str, ...] = ("stranger",)) -> None:
    """`expected` maps (state, action, who) to the state after; every other combination must raise."""
    combinations = itertools.product(
        sorted(machine.states), sorted(machine.actions), sorted(machine.people | set(strangers))
    )
    unseen = set(expected)
    for state, action, who in combinations:
        if (state, action, who) in expected:
            unseen.discard((state, action, who))
            found = machine._by_key[(state, action)]
            assert who in found.who
            assert found.target == expected[(state, action, who)], (state, action, who)
        elif machine.can(state, action, {who}):
            raise AssertionError(f"{machine.name}: {who} may {action} when {state}, which nobody expected")
        else:
            with pytest.raises((Conflict, Forbidden)):
                machine.target(state, action, {who})
    assert not unseen, f"expected but impossible: {sorted(unseen)}"
