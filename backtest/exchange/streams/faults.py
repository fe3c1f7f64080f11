"""What may go wrong on purpose with a market's messages on their way. What, and when, is the server's matter."""

from typing import Protocol

from backtest.exchange.streams.recorded import Recorded


class StreamFaults(Protocol):
    """Asked about messages as they go out."""

    def swallows(self, event: Recorded) -> bool:
        """Tell whether an event is lost."""
        ...

    def spoiled(self, symbol: str, data: bytes) -> bytes:
        """Return what is sent in place of a difference of a symbol's book."""
        ...


class NoStreamFaults:
    """Every message goes out as it is."""

    def swallows(self, _event: Recorded) -> bool:
        """Lose nothing."""
        return False

    def spoiled(self, _symbol: str, data: bytes) -> bytes:
        """Return the message."""
        return data
