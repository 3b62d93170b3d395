"""Shares, fees, parts and refunds sum to the whole, whatever the amount (PAY-20)."""

from random import Random

import numpy as np
import pytest

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import CURRENCIES, MAX_AMOUNT, Money, exponent, parse_amount
from marketplace.payments.giving_back import Given, divide
from marketplace.payments.rules import Share, apportion, parts, split

RATES = (0, 1, 33, 100, 250, 290, 333, 500, 750, 1_000, 1_500, 9_999)


def _fees(gross: np.ndarray, bps: int) -> np.ndarray:
    """`Money.share` over many amounts at once: basis points, half a minor unit away from zero."""
    return (gross * bps * 2 + 10_000) // 20_000


@pytest.mark.parametrize("step", [997, pytest.param(1, marks=pytest.mark.full)])
def test_every_amount_by_every_rate_for_three_payees_sums(step: int) -> None:
    """1 to 1,000,000 x 12 rates x 3 payees: 36 million splits as whole numbers, and our own function on a sample."""
    total = np.arange(1, 1_000_001, step, dtype=np.int64)
    first, second = total // 2, total // 3
    shares = (first, second, total - first - second)
    for bps in RATES:
        back = np.zeros_like(total)
        for gross in shares:
            fee = _fees(gross, bps)
            net = gross - fee
            assert bool(((fee >= 0) & (net >= 0) & (fee <= gross)).all())
            back += fee + net
        assert bool((back == total).all())
        for amount in (int(a) for a in total[:: max(1, len(total) // 60)] if a >= 6):
            pieces = (amount // 2, amount // 3, amount - amount // 2 - amount // 3)
            made = split([Share(f"org_{i}", "x", Money(g, "USD")) for i, g in enumerate(pieces)], bps)
            assert [s.fee for s in made] == [int(_fees(np.array([g]), bps)[0]) for g in pieces]
            assert sum(s.fee + s.net for s in made) == amount


def test_parts_of_a_share_sum_in_gross_fee_and_net() -> None:
    for amount in [*range(1, 400), 10_001, 99_999, 1_000_003, MAX_AMOUNT]:
        for bps in RATES:
            [share] = split([Share("org_a", "production", Money(amount, "USD"))], bps)
            made = [part for _milestone, part in parts("order", share)]
            assert (sum(p.gross for p in made), sum(p.fee for p in made), sum(p.net for p in made)) == (
                share.gross,
                share.fee,
                share.net,
            )
            assert all(p.gross == p.fee + p.net and p.fee >= 0 and p.net >= 0 for p in made)


def test_giving_back_in_any_steps_ends_where_giving_back_at_once_does() -> None:
    dice = Random(20)
    for _ in range(300):
        shares = [Given(f"org_{i}", "x", dice.randint(0, 5_000), dice.randint(0, 600)) for i in range(3)]
        total = sum(s.net + s.fee for s in shares)
        amount, steps = dice.randint(0, total), dice.randint(1, 6)
        cuts = sorted(dice.randint(0, amount) for _ in range(steps))
        gone = {s.org_id: (0, 0) for s in shares}
        for low, high in zip([0, *cuts], [*cuts, amount], strict=True):
            for part in divide(shares, list(gone.values()), high - low):
                before = gone[part.org_id]
                gone[part.org_id] = (before[0] + part.net, before[1] + part.fee)
        at_once = {p.org_id: (p.net, p.fee) for p in divide(shares, [(0, 0)] * 3, amount)}
        assert {k: v for k, v in gone.items() if v != (0, 0)} == at_once
        assert all(gone[s.org_id][0] <= s.net and gone[s.org_id][1] <= s.fee for s in shares)


def test_apportioning_is_exact_and_bounded() -> None:
    assert apportion(0, [0, 0]) == [0, 0]
    assert apportion(2, [1, 1, 1]) == [1, 1, 0]
    with pytest.raises(Invalid):
        apportion(4, [1, 1, 1])
    with pytest.raises(Invalid):
        apportion(-1, [1])


@pytest.mark.parametrize("currency", [*CURRENCIES, "KWD", "KRW"])
def test_amounts_of_currencies_without_two_decimals(currency: str) -> None:
    places = exponent(currency)
    typed = "1250" + (f".{'5'.ljust(places, '0')}" if places else "")
    assert parse_amount(typed, currency) == 1_250 * 10**places + (5 * 10 ** (places - 1) if places else 0)
    with pytest.raises(Invalid):
        parse_amount(f"1.{'1' * (places + 1)}", currency)


@pytest.mark.parametrize(
    "typed", ["-1", "0x1", "1e3", "١٢", "1,00", "NaN", "1000000000001", "", " ", ".", "１２", "Infinity", "1_0"]
)
def test_odd_amounts_are_refused(typed: str) -> None:
    """PAY-25."""
    with pytest.raises(Invalid):
        parse_amount(typed, "USD")
