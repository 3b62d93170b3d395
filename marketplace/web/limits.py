"""Rate limits over Redis; in-process while Redis is away, so that sign-in stays limited."""

from functools import lru_cache

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from marketplace.kernel.errors import TooMany
from marketplace.web.call import Call, services

_WRITES = "240 per minute"
_ANONYMOUS_WRITES = "60 per minute"


def limit(name: str, key: str, rate: str) -> None:
    """Count one try of `name` by `key` against `rate` ("10 per minute"); raises TooMany beyond it."""
    item = _item(rate)
    try:
        ok = _shared(services().settings.redis_url).hit(item, name, key)
    except (RedisError, StorageError):
        ok = _local().hit(item, name, key)
    if not ok:
        raise TooMany(retry_after=item.get_expiry())


def refuse_spent(name: str, key: str, rate: str) -> None:
    """Raise TooMany when `limit` has counted up to `rate` already; this itself counts nothing."""
    item = _item(rate)
    try:
        ok = _shared(services().settings.redis_url).test(item, name, key)
    except (RedisError, StorageError):
        ok = _local().test(item, name, key)
    if not ok:
        raise TooMany(retry_after=item.get_expiry())


def limit_writes(call: Call) -> None:
    """Bound the changing requests of one person, or of one address before sign-in."""
    if call.actor.user_id:
        limit("write", call.actor.user_id, _WRITES)
    else:
        limit("write", network(call.actor.ip), _ANONYMOUS_WRITES)


def network(ip: str | None) -> str:
    """The address as a bucket: IPv6 by /64, so that one household is one."""
    if ip and ":" in ip:
        return ":".join(ip.split(":")[:4])
    return ip or "unknown"


@lru_cache(maxsize=64)
def _item(rate: str) -> RateLimitItem:
    return parse(rate)


@lru_cache(maxsize=1)
def _shared(url: str) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(
        RedisStorage(url, wrap_exceptions=True, socket_timeout=0.5, socket_connect_timeout=0.5)
    )


@lru_cache(maxsize=1)
def _local() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())
