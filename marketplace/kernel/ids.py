"""Opaque public identifiers: a prefix that names the kind, then 125 random bits."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
_LENGTH = 25


def new_id(prefix: str) -> str:
    """A fresh identifier such as `dsn_7k...`; not guessable, carries no order and no meaning."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
