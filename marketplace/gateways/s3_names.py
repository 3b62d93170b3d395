"""Names that reach the object store and browsers: keys, content types, the name under which a file is saved."""

import re
from functools import lru_cache
from urllib.parse import quote

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+", re.ASCII)
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*)*", re.ASCII)
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*(?:; ?charset=[a-zA-Z0-9-]+)?", re.ASCII)


@lru_cache(maxsize=1024)
def content_disposition(disposition: str, filename: str) -> str:
    """The header of RFC 6266 with an ASCII name and, where that loses something, the real one (RFC 5987)."""
    clean = "".join(c for c in filename.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    clean = clean.strip(". ")[:150] or "file"
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", clean)
    header = f'{disposition}; filename="{plain}"'
    return header if plain == clean else f"{header}; filename*=UTF-8''{quote(clean, safe='')}"


def check_prefix(prefix: str) -> None:
    """Raise ValueError for anything but lower-case words and slashes."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("a key prefix is lower-case words and slashes")


def check_key(key: str, content_type: str) -> None:
    """Raise ValueError for a key that the product would not make, or a malformed content type."""
    if len(key) > 256 or not _KEY.fullmatch(key) or ".." in key:
        raise ValueError("this is not a key of ours")
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError("this is not a content type")
