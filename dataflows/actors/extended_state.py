"""What the full set of features remembers beside the light actor's state, and how both are written down together.

There is one record of what observes the stream, and an array of records, one a length of bar. Their dtypes do not
depend on how many lengths there are, so nothing is compiled again for other lengths.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dataflows.actors import market_state
from dataflows.actors.market_state import FIX, MARKET
from dataflows.bars import BARS
from dataflows.indicators.microstructure.observer import MICROSTRUCTURE
from dataflows.indicators.microstructure.prevailing import PREVAILING
from dataflows.indicators.statistical import STATISTICAL
from dataflows.indicators.technical import TECHNICAL
from dataflows.kernels import RecordArray
from sluice.errors import InputError
from sluice.instruments import Instrument

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS

EXTENDED = np.dtype(
    [
        # Which lengths of bars the state belongs to.
        ("identity", np.int64),
        # The second that event time is in, when the next begins, and the second of the last event; 0 for none.
        ("second", np.int64),
        ("event_second", np.int64),
        ("next_second_ns", np.int64),
        ("next_funding_time_ns", np.int64),
        # Best bid, its quantity, best ask, its quantity: as they are now, and as they were before.
        ("top", np.float64, (4,)),
        ("top_before", np.float64, (4,)),
        ("prevailing", PREVAILING),
        ("minutes", BARS),
        ("microstructure", MICROSTRUCTURE),
        ("statistical", STATISTICAL),
    ],
    align=True,
)

#: What is kept for one length of bar.
LENGTH = np.dtype([("bars", BARS), ("technical", TECHNICAL)], align=True)


class FullState(NamedTuple):
    """The three arrays that are an actor's state: of one record, of one record, and one a length of bar."""

    market: RecordArray
    extended: RecordArray
    lengths: RecordArray


def new_state(instrument: Instrument, bar_interval_ns: int, bars_ns: Sequence[int]) -> FullState:
    """Return the state of an actor that has seen nothing.

    Raises `InputError` where there is no length of bar, or one is no whole number of seconds.
    """
    if not bars_ns or any(length <= 0 or length % SECOND_NS for length in bars_ns):
        raise InputError(f"bars_ns must be lengths of whole seconds, was {tuple(bars_ns)}")
    extended, lengths = np.zeros(1, EXTENDED), np.zeros(len(bars_ns), LENGTH)
    extended["identity"] = _identity(bars_ns)
    extended["top"] = extended["top_before"] = np.nan
    extended["minutes"]["interval_ns"] = MINUTE_NS
    lengths["bars"]["interval_ns"] = lengths["technical"]["interval_ns"] = bars_ns
    return FullState(market_state.new_state(instrument, bar_interval_ns), extended, lengths)


def write(state: FullState) -> bytes:
    """Return the state's snapshot."""
    return market_state.pack(b"".join(records.tobytes() for records in state), len(state.lengths))


def read(snapshot: bytes, instrument: Instrument, bar_interval_ns: int, bars_ns: Sequence[int]) -> FullState:
    """Return the state that a snapshot holds.

    Raises `InputError` where it is no such snapshot, of another version, damaged, or of another instrument or other
    lengths of bars.
    """
    wanted = new_state(instrument, bar_interval_ns, bars_ns)
    body = market_state.unpack(snapshot, sum(records.nbytes for records in wanted), len(bars_ns))
    first, second = MARKET.itemsize, MARKET.itemsize + EXTENDED.itemsize
    extended = np.frombuffer(body[first:second], EXTENDED).copy()
    if extended["identity"][0] != wanted.extended["identity"][0]:
        raise InputError("a market snapshot must be of the same lengths of bars, was of others", fix=FIX)
    return FullState(
        market_state.record_of(body[:first], instrument, bar_interval_ns), extended,
        np.frombuffer(body[second:], LENGTH).copy())


def _identity(bars_ns: Sequence[int]) -> int:
    text = "/".join(map(str, bars_ns))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
