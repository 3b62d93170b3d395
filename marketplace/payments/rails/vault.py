"""Account numbers and bank files at rest: AES-256-GCM under a key derived from SECRET_KEY, bound to their owner."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class Unreadable(Exception):
    """What was sealed was changed, belongs to another owner, or was sealed under another SECRET_KEY."""


def seal(secret_key: str, owner: str, data: bytes) -> bytes:
    """`data` so that only `unseal` with the same key and owner reads it."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key(secret_key)).encrypt(nonce, data, owner.encode())


def unseal(secret_key: str, owner: str, sealed: bytes) -> bytes:
    """What was sealed for `owner`. Raises Unreadable."""
    try:
        return AESGCM(_key(secret_key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable(owner) from error


def _key(secret_key: str) -> bytes:
    return HKDF(SHA256(), 32, None, b"touchstone bank accounts").derive(secret_key.encode())
