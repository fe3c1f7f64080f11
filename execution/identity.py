"""Which journal this execution service writes, told to whoever reads its reports.

The identity goes out with the stream and stands in the Redis of the deployment. A reader that was led to the service of
another deployment (a wrong address, a port that changed hands) sees that the two differ. It is no secret and no
authentication: that is the deployment's business (mTLS).
"""

import redis.asyncio
from redis import RedisError

from sluice.errors import NotRunningError
from sluice.stores.redis import EXECUTION_JOURNAL_KEY, key


class JournalIdentity:
    """The identity of one journal, and where it is published."""

    def __init__(self, client: redis.asyncio.Redis, namespace: str, journal_id: str) -> None:
        self._client = client
        self._key = key(namespace, EXECUTION_JOURNAL_KEY)
        self.journal_id = journal_id

    async def publish(self) -> None:
        """Write the identity into Redis. Raises `NotRunningError`."""
        try:
            await self._client.set(self._key, self.journal_id)
        except RedisError as error:
            raise NotRunningError(f"execution's journal must be named in Redis, was not: {error}") from None
