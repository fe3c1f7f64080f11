"""Publishes the risk epoch where execution reads it: one Redis key of the namespace.

An approval of an older epoch is refused by execution in the same step that burns its nonce, so publishing a new epoch
invalidates everything in flight.
"""

import redis.asyncio
from redis.exceptions import RedisError

from sluice.errors import NotRunningError
from sluice.stores.redis import RISK_EPOCH_KEY, key


class EpochFence:
    """The published epoch of one namespace."""

    def __init__(self, client: redis.asyncio.Redis, namespace: str) -> None:
        self._client = client
        self._key = key(namespace, RISK_EPOCH_KEY)

    async def published(self) -> int:
        """Return the published epoch; 0 where there is none. Raises `NotRunningError`."""
        try:
            found = await self._client.get(self._key)
        except RedisError as error:
            raise self._unreachable(error) from None
        return int(found) if found else 0

    async def publish(self, risk_epoch: int) -> None:
        """Publish an epoch. Raises `NotRunningError`: approvals in flight are then not fenced."""
        try:
            await self._client.set(self._key, risk_epoch)
        except RedisError as error:
            raise self._unreachable(error) from None

    @staticmethod
    def _unreachable(error: RedisError) -> NotRunningError:
        return NotRunningError(f"the risk epoch must be published in Redis, was not: {error}",
                               fix="check Redis, then repeat the command")
