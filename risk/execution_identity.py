"""Makes sure that the reports which risk counts come from the execution service of its own deployment.

Execution names its journal in the first message of its stream and in the Redis that both share. Where the two differ,
an address was wrong or a port changed hands, and counting those reports would be worse than having none.
"""

import redis.asyncio
from redis.exceptions import RedisError

from sluice.errors import NotRunningError
from sluice.stores.redis import EXECUTION_JOURNAL_KEY, key


class ExecutionIdentity:
    """The journal of the execution service that belongs to one namespace."""

    def __init__(self, client: redis.asyncio.Redis, namespace: str) -> None:
        self._client = client
        self._key = key(namespace, EXECUTION_JOURNAL_KEY)

    async def require(self, journal_id: str) -> None:
        """Raise `NotRunningError` unless this is the journal of our own deployment."""
        try:
            found = await self._client.get(self._key)
        except RedisError as error:
            raise NotRunningError(f"Redis must say which journal execution writes, did not: {error}") from None
        if not journal_id or found != journal_id.encode():
            ours = found.decode() if isinstance(found, bytes) else "not known"
            raise NotRunningError(
                f"execution must write the journal of this deployment ({ours}), writes {journal_id or 'none'}",
                fix="check execution.address: another execution service answers there")
