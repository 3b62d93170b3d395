"""From a copy's key to directions and orders: SipHash-2-4 over whole arrays.

SipHash is a pseudo-random function with a 128-bit key (Aumasson and Bernstein 2012): who does not hold the key can
neither tell a marked file from a random one nor make a mark that points at somebody else.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

KEY_BYTES = 16
_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
#: Keeps the order of facets apart from the directions of points under one key.
_ORDER = 0x6F72646572


def siphash(key: bytes, words: Words) -> Words:
    """SipHash-2-4 of each row of `words` (n, k), read as 8 k bytes little-endian: (n,)."""
    first, second = (np.uint64(int.from_bytes(key[i : i + 8], "little")) for i in (0, 8))
    state = [
        np.full(len(words), (first, second)[i % 2] ^ np.uint64(start), np.uint64) for i, start in enumerate(_START)
    ]
    for column in words.T:
        state[3] ^= column
        _rounds(state, 2)
        state[0] ^= column
    last = np.uint64((8 * words.shape[1] & 0xFF) << 56)
    state[3] ^= last
    _rounds(state, 2)
    state[0] ^= last
    state[2] ^= np.uint64(0xFF)
    _rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        v[0] += v[1]
        v[2] += v[3]
        v[1] = _turn(v[1], 13) ^ v[0]
        v[3] = _turn(v[3], 16) ^ v[2]
        v[0] = _turn(v[0], 32)
        v[2] += v[1]
        v[0] += v[3]
        v[1] = _turn(v[1], 17) ^ v[2]
        v[3] = _turn(v[3], 21) ^ v[0]
        v[2] = _turn(v[2], 32)


def _turn(x: Words, by: int) -> Words:
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


def directions(key: bytes, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """A unit vector for each cell (n, 3), uniform on the sphere: height uniform in [-1, 1], angle uniform."""
    drawn = siphash(key, cells.view(np.uint64))
    height = (drawn >> np.uint64(32)).astype(np.float64) / 2**31 - 1.0
    angle = (drawn & np.uint64(0xFFFFFFFF)).astype(np.float64) * (2 * np.pi / 2**32)
    across = np.sqrt(1.0 - height * height)
    return np.column_stack([across * np.cos(angle), across * np.sin(angle), height])


def facet_ranks(key: bytes, corners: NDArray[np.int64]) -> Words:
    """A number for each facet, from the cells (n, 3, 3) of its corners in any order."""
    count = len(corners)
    points = siphash(key, np.ascontiguousarray(corners).reshape(-1, 3).view(np.uint64)).reshape(count, 3)
    return siphash(_order_key(key), np.sort(points, axis=1))


def item_ranks(key: bytes, items: list[bytes]) -> Words:
    """A number for each piece of a file, from its content."""
    digests = b"".join(hashlib.sha256(item).digest()[:24] for item in items)
    return siphash(_order_key(key), np.frombuffer(digests, "<u8").reshape(-1, 3).astype(np.uint64))


def _order_key(key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(key, _ORDER.to_bytes(KEY_BYTES, "little"), strict=True))
