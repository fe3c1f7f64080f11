"""The gates as a class, for whoever asks them outside a kernel, such as the check of a recording.

It is a thin shell around the kernels that an instrument's actor runs, so that both always find the same.
"""

import math

import numpy as np

from dataflows.kernels import Record, RecordArray, kernel
from dataflows.quality import judge
from dataflows.quality.state import QUALITY, counts_of


class Gates:
    """The gates of one instrument. Each method answers in bits, as `judge` does; times are nanoseconds, 0 for none."""

    def __init__(self) -> None:
        self._state: RecordArray = np.zeros(1, QUALITY)

    @property
    def record(self) -> Record:
        """Return the state, as a record."""
        return self._state[0]

    def to_bytes(self) -> bytes:
        """Return a copy of the whole state."""
        return self._state.tobytes()

    def restore(self, state: bytes) -> None:
        """Take back a state of `to_bytes`."""
        self._state = np.frombuffer(state, QUALITY).copy()

    def counts(self) -> dict[str, int]:
        """Return how often each reason was found, by its name."""
        return counts_of(self._state[0])

    def depth(self, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int) -> int:
        """Judge a depth update."""
        return _depth(self._state, receive_time_ns, event_time_ns, transaction_time_ns)

    def mark(self, receive_time_ns: int, event_time_ns: int) -> int:
        """Judge a mark price."""
        return _mark(self._state, receive_time_ns, event_time_ns)

    def ticker(
        self, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int, update_id: int,
        bid: float, ask: float,
    ) -> int:
        """Judge best prices."""
        return _ticker(self._state, receive_time_ns, event_time_ns, transaction_time_ns, update_id, bid, ask)

    def trade(
        self, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int, trade_id: int,
        price: float, quantity: float, *, mid: float = math.nan, aggregate: bool = False,
    ) -> int:
        """Judge a trade."""
        return _trade(
            self._state, aggregate, receive_time_ns, event_time_ns, transaction_time_ns, trade_id,
            price, quantity, mid)

    def other_trade(
        self, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int, trade_id: int, quantity: float,
    ) -> int:
        """Judge a trade that is no print of the book."""
        return _other_trade(
            self._state, receive_time_ns, event_time_ns, transaction_time_ns, trade_id, quantity)

    def silence(self, now_ns: int) -> int:
        """Tell of the streams that have been silent for too long by now."""
        return _silence(self._state, now_ns)


@kernel
def _depth(states: RecordArray, receive_ns: int, event_ns: int, transaction_ns: int) -> int:
    return judge.judge_depth(states[0], receive_ns, event_ns, transaction_ns)


@kernel
def _mark(states: RecordArray, receive_ns: int, event_ns: int) -> int:
    return judge.judge_mark(states[0], receive_ns, event_ns)


@kernel
def _ticker(
    states: RecordArray, receive_ns: int, event_ns: int, transaction_ns: int, update_id: int, bid: float, ask: float,
) -> int:
    return judge.judge_ticker(states[0], receive_ns, event_ns, transaction_ns, update_id, bid, ask)


@kernel
def _trade(
    states: RecordArray, aggregate: bool, receive_ns: int, event_ns: int, transaction_ns: int, trade_id: int,
    price: float, quantity: float, mid: float,
) -> int:
    return judge.judge_trade(
        states[0], aggregate, receive_ns, event_ns, transaction_ns, trade_id, price, quantity, mid)


@kernel
def _other_trade(
    states: RecordArray, receive_ns: int, event_ns: int, transaction_ns: int, trade_id: int, quantity: float,
) -> int:
    return judge.judge_other_trade(states[0], receive_ns, event_ns, transaction_ns, trade_id, quantity)


@kernel
def _silence(states: RecordArray, now_ns: int) -> int:
    return judge.judge_silence(states[0], now_ns)
