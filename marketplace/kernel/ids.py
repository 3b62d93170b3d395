"""Opaque public identifiers: a prefix that names the kind, then 125 random bits."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
_LENGTH = 25


def new_id(prefix: str) -> str:
    """A fresh identifier such as `dsn_7k...`; not guessable, carries no order and no meaning."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def new_code(length: int) -> str:
    """A code that people type: `length` digits and capitals, none of them easily taken for another; 5 bits each."""
    return "".join(secrets.choice(_ALPHABET.upper()) for _ in range(length))
