"""Connections to Redis with time limits and without automatic retries.

A retry after a lost answer could run a command twice, such as burning a nonce; whoever sends the command knows whether
that is harmless, so the decision is left there. Answers are bytes.
"""

from typing import Any, Final

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from sluice.errors import ConfigurationError, NotRunningError
from sluice.stores.urls import redacted

TIMEOUT_S = 5.0
#: Under this key of a namespace risk publishes its epoch, which execution compares an approval's with.
RISK_EPOCH_KEY: Final = "risk_epoch"
#: Under this key execution names the journal that it writes, which risk compares a report stream's with.
EXECUTION_JOURNAL_KEY: Final = "execution_journal"


def key(namespace: str, *parts: str) -> str:
    """Return the key of a namespace's value, `<namespace>:<part>:<part>`."""
    return ":".join((namespace, *parts))


def connect_async(url: str) -> redis.asyncio.Redis:
    """Return a client for asyncio. It connects at the first command; `ensure_reachable` does it now.

    Raises ConfigurationError where the URL cannot be read.
    """
    retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
    try:
        return redis.asyncio.Redis.from_url(url, retry=retry, **_options())
    except ValueError:
        raise _wrong_url(url) from None


def connect_sync(url: str) -> redis.Redis:
    """Return a client that has reached the server. Raises ConfigurationError and NotRunningError."""
    try:
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **_options())
    except ValueError:
        raise _wrong_url(url) from None
    try:
        client.ping()
    except redis.RedisError as error:
        client.close()
        raise _not_running(url, error) from None
    return client


async def ensure_reachable(client: redis.asyncio.Redis, url: str) -> None:
    """Return when the server has answered. Raises NotRunningError where it does not; `url` is for the message."""
    try:
        await client.ping()
    except redis.RedisError as error:
        raise _not_running(url, error) from None


def _options() -> dict[str, Any]:
    return {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S, "health_check_interval": 30,
            "client_name": "sluice", "decode_responses": False}


def _wrong_url(url: str) -> ConfigurationError:
    return ConfigurationError([f"stores.redis_url must read redis://:password@host:port/0, was {redacted(url)}"],
                              fix="correct stores.redis_url, or leave it empty for an embedded server")


def _not_running(url: str, error: redis.RedisError) -> NotRunningError:
    return NotRunningError(f"Redis must answer at {redacted(url)}, was not reachable: {error}",
                           fix="start it, or correct stores.redis_url; leave it empty for an embedded server")
