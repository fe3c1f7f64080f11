"""The single-use nonces and risk's epoch in Redis, looked at and burnt in one atomic step.

This is the quick line of defence, shared by everything of a namespace. The last line is the journal's unique keys: they
hold even where Redis has lost its memory. Redis not answering is a refusal, never a pass.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import redis.asyncio
from redis import RedisError

from sluice.stores.redis import RISK_EPOCH_KEY, key

#: Longer than any approval lives on any clock that a replay may run by.
_KEPT_MS: Final = 24 * 3_600_000
_VOID: Final = b"void"
_BURN: Final = """
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'NO_EPOCH', ''} end
if tonumber(ARGV[1]) < tonumber(epoch) then return {'STALE_EPOCH', epoch} end
if redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return {'BURNT', ''} end
return {'HELD', redis.call('GET', KEYS[2])}
"""


class NonceStoreError(Exception):
    """Redis did not answer, or holds no epoch: nothing may be sent."""


class Burning(Enum):
    """What came of burning a nonce."""

    BURNT = 1
    STALE_EPOCH = 2
    USED = 3
    VOID = 4
    #: Burnt by an earlier process of this same journal, which ended before it could journal an order.
    LEFT_BEHIND = 5


@dataclass(frozen=True, slots=True)
class Incarnation:
    """Who burns: a process (random) writing a journal (its id). It is the value of a used nonce."""

    journal_id: str
    process_id: str

    @property
    def value(self) -> bytes:
        """Return what is written into the nonce's key."""
        return f"used:{self.journal_id}:{self.process_id}".encode()

    def was_before(self, held: bytes) -> bool:
        """Tell whether a value was written by another process of the same journal."""
        return held.startswith(f"used:{self.journal_id}:".encode()) and held != self.value


class NonceStore:
    """Burns nonces of a namespace, as one incarnation of the execution service."""

    def __init__(self, client: redis.asyncio.Redis, namespace: str, incarnation: Incarnation) -> None:
        self._client = client
        self._namespace = namespace
        self._incarnation = incarnation
        self._burn = client.register_script(_BURN)

    async def burn(self, nonce: bytes, risk_epoch: int) -> Burning:
        """Use a nonce up if its approval is of the current epoch. Raises `NonceStoreError`: refuse then."""
        keys = [key(self._namespace, RISK_EPOCH_KEY), self._key(nonce)]
        try:
            outcome, held = await self._burn(keys=keys, args=[risk_epoch, self._incarnation.value, _KEPT_MS])
        except RedisError as error:
            raise NonceStoreError(f"Redis must answer before an order is sent, was: {error}") from None
        if outcome == b"NO_EPOCH":
            raise NonceStoreError(f"{keys[0]} must hold risk's epoch before an order is sent, was empty")
        if outcome != b"HELD":
            return Burning[outcome.decode()]
        if held == _VOID:
            return Burning.VOID
        return Burning.LEFT_BEHIND if self._incarnation.was_before(held) else Burning.USED

    async def void(self, nonce: bytes) -> None:
        """Burn a nonce that no order was made with, so that none will be. Raises `NonceStoreError`."""
        try:
            await self._client.set(self._key(nonce), _VOID, px=_KEPT_MS)
        except RedisError as error:
            raise NonceStoreError(f"Redis must answer before an approval is voided, was: {error}") from None

    def _key(self, nonce: bytes) -> str:
        return key(self._namespace, "nonce", nonce.hex())
