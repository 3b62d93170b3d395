"""Argon2 hashes, and a check that takes as long for an unknown account."""

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

# OWASP's second recommended setting: 19 MiB, 2 passes, 1 lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"  # gitleaks:allow  (hash of nothing anybody knows)
    "bZb0nXb9y4vC3cKqk3m5mQn7XUJb0b3pXqM2yq0v5bE"
)


def hash_password(password: str) -> str:
    """A salted hash to keep."""
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` made `stored`; spends the same time when there is no such account (None)."""
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None
