"""What the desk and the way of submission need of the journal and of the nonces, whatever these are made of.

A service gives them PostgreSQL and Redis; a backtest in one process gives them its own memory.
"""

from typing import Protocol

from execution.ledger import Draft
from execution.nonces import Burning


class OrderJournal(Protocol):
    """Where drafts are written before they count."""

    async def write(self, draft: Draft) -> None:
        """Write a draft, all of it or nothing. Raises `AlreadyUsedError` where a nonce or decision has an order."""
        ...

    async def write_time(self, event_time_ns: int) -> None:
        """Note how far event time has come."""
        ...


class Nonces(Protocol):
    """The single-use nonces, with the epoch that they are burnt under. Each method may raise `NonceStoreError`."""

    async def burn(self, nonce: bytes, risk_epoch: int) -> Burning:
        """Use a nonce up if its approval is of the current epoch."""
        ...

    async def void(self, nonce: bytes) -> None:
        """Burn a nonce that no order was made with, so that none will be."""
        ...
