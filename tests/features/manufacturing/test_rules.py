"""The conditions of a CAD link, all 2^10 of them, and names."""

import itertools
from dataclasses import fields

import pytest

from marketplace.manufacturing.rules import Conditions, refusal, same_name

_NAMES = [f.name for f in fields(Conditions)]


def test_a_link_exists_in_exactly_one_of_all_cases() -> None:
    cases = [
        Conditions(**dict(zip(_NAMES, values, strict=True)))
        for values in itertools.product((True, False), repeat=len(_NAMES))
    ]
    given = [case for case in cases if refusal(case) is None]
    assert given == [case for case in cases if case.all_hold]
    assert (len(cases), len(given)) == (1024, 1)


@pytest.mark.parametrize(
    ("missing", "status", "code"),
    [
        ("member", 403, "not_assigned"),
        ("assigned", 403, "not_assigned"),
        ("confirmed", 403, "email_unconfirmed"),
        ("in_good_standing", 403, "not_approved"),
        ("vetted", 403, "not_approved"),
        ("nda_signed", 403, "nda_required"),
        ("nda_in_force", 403, "nda_revoked"),
        ("order_open", 409, "order_not_open"),
        ("file_pinned", 403, "file_not_licensed"),
        ("file_unchanged", 409, "file_changed"),
    ],
)
def test_each_missing_condition_is_named(missing: str, status: int, code: str) -> None:
    error = refusal(Conditions(**{name: name != missing for name in _NAMES}))
    assert error is not None
    assert (error.status, error.code) == (status, code)


@pytest.mark.parametrize(
    ("typed", "account", "same"),
    [
        ("Li Wei", "Li Wei", True),
        ("  li   WEI ", "Li Wei", True),
        ("Ｌｉ Ｗｅｉ", "Li Wei", True),
        ("李 伟", "李 伟", True),
        ("Li We", "Li Wei", False),
        ("", "", False),
        ("Wei Li", "Li Wei", False),
    ],
)
def test_a_typed_name_may_differ_in_case_width_and_space_only(typed: str, account: str, same: bool) -> None:
    assert same_name(typed, account) == same
