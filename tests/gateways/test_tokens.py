"""Signed tokens: only the one spelling we made, only for its purpose, only within its life."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.gateways.tokens import BadToken, ExpiredToken, Purpose, Tokens
from marketplace.kernel import clock

TOKENS = Tokens("a secret of more than thirty-two characters")


def test_a_token_gives_back_what_it_was_made_with() -> None:
    token = TOKENS.sign(Purpose.INVITE, {"org": "org_1", "name": "魏", "n": 3})
    payload = TOKENS.read(Purpose.INVITE, token, 60)
    assert {k: payload[k] for k in ("org", "name", "n")} == {"org": "org_1", "name": "魏", "n": 3}
    assert len(payload["jti"]) >= 20


def test_every_token_has_its_own_id_unless_one_is_given() -> None:
    ids = {TOKENS.read(Purpose.CSRF, TOKENS.sign(Purpose.CSRF, {}), 60)["jti"] for _ in range(200)}
    assert len(ids) == 200
    assert TOKENS.read(Purpose.CSRF, TOKENS.sign(Purpose.CSRF, {"jti": "mine"}), 60)["jti"] == "mine"


def test_no_flipped_bit_is_accepted() -> None:
    for n in range(12):
        token = TOKENS.sign(Purpose.CAD_LINK, {"asset": f"ast_{n}", "note": "x" * n})
        assert TOKENS.read(Purpose.CAD_LINK, token, 60)
        data = token.encode()
        for place in range(len(data)):
            for bit in range(8):
                changed = bytearray(data)
                changed[place] ^= 1 << bit
                with pytest.raises(BadToken):
                    TOKENS.read(Purpose.CAD_LINK, changed.decode("latin-1"), 60)


def test_other_spellings_of_the_same_bytes_are_refused() -> None:
    token = TOKENS.sign(Purpose.PASSWORD_RESET, {"user": "usr_1"})
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = {token[:-1] + letter for letter in alphabet} - {token}
    spellings |= {token + tail for tail in ("=", "==", " ", "\n", "é", "\x00", ".", "A")}
    spellings |= {" " + token, "." + token, token.replace(".", "..", 1), token.upper(), "", ".", ".."}
    for spelling in spellings:
        with pytest.raises(BadToken):
            TOKENS.read(Purpose.PASSWORD_RESET, spelling, 60)


@pytest.mark.parametrize("made_for", Purpose)
def test_a_token_of_one_purpose_opens_nothing_else(made_for: Purpose) -> None:
    token = TOKENS.sign(made_for, {"user": "usr_1"})
    for purpose in set(Purpose) - {made_for}:
        with pytest.raises(BadToken):
            TOKENS.read(purpose, token, 60)


def test_another_secret_opens_nothing() -> None:
    token = TOKENS.sign(Purpose.INVITE, {})
    with pytest.raises(BadToken):
        Tokens("another secret of more than thirty-two chars").read(Purpose.INVITE, token, 60)


def test_a_token_dies_with_its_life_and_one_from_the_future_is_refused() -> None:
    start = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    with clock.frozen(start) as move:
        token = TOKENS.sign(Purpose.CAD_LINK, {})
        move(start + timedelta(seconds=60))
        assert TOKENS.read(Purpose.CAD_LINK, token, 60)
        move(start + timedelta(seconds=61))
        with pytest.raises(ExpiredToken):
            TOKENS.read(Purpose.CAD_LINK, token, 60)
        move(start - timedelta(seconds=1))
        with pytest.raises(BadToken):
            TOKENS.read(Purpose.CAD_LINK, token, 60)


def test_an_expired_forgery_is_a_forgery() -> None:
    with clock.frozen(datetime(2020, 1, 1, tzinfo=UTC)):
        token = TOKENS.sign(Purpose.INVITE, {})
    with pytest.raises(BadToken) as refused:
        TOKENS.read(Purpose.INVITE, token[:-3] + "AAA", 60)
    assert not isinstance(refused.value, ExpiredToken)


def test_a_payload_too_large_for_a_link_is_never_signed() -> None:
    with pytest.raises(ValueError, match="large"):
        TOKENS.sign(Purpose.INVITE, {"x": "y" * 5_000})


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_nothing_but_bad_token_ever_comes_out(text: str) -> None:
    with pytest.raises(BadToken):
        TOKENS.read(Purpose.CSRF, text, 60)
