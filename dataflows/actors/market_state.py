"""A market actor's whole state as one record of a fixed dtype, and how it is written down and read back.

A snapshot is a header (magic, version, CRC-32 of the body) and the record's bytes, compressed because most of a
book's capacity is empty. Restoring gives the same bytes back. Any change of the record's layout or of what a field
means needs a new `STATE_VERSION`; an older snapshot is refused, and the actor is rebuilt from the tape.
"""

import hashlib
import struct
import zlib

import numpy as np

from dataflows.actors.market_health import HEALTH
from dataflows.bars import BARS
from dataflows.book.state import BOOK, initialise
from dataflows.indicators.wilder import WILDER
from dataflows.indicators.windows import WINDOWS
from dataflows.kernels import RecordArray
from sluice.errors import InputError
from sluice.instruments import Instrument

STATE_VERSION = 2
_MAGIC = b"SLMA"
_HEADER = struct.Struct("<4sHHI")
_COMPRESSION = 1
_FIX = "start without the snapshot and read the stream from its beginning"

MARKET = np.dtype(
    [
        # Which instrument and settings the state belongs to.
        ("identity", np.int64),
        ("event_time_ns", np.int64),
        ("tick_time_ns", np.int64),
        ("book_time_ns", np.int64),
        ("sequence", np.int64),
        ("events", np.int64),
        ("dead_letters", np.int64),
        ("ticker_update_id", np.int64),
        ("ticker_time_ns", np.int64),
        ("ticker_bid", np.float64),
        ("ticker_bid_quantity", np.float64),
        ("ticker_ask", np.float64),
        ("ticker_ask_quantity", np.float64),
        ("mark_price", np.float64),
        # Which stream of trades is read: 0 none yet, 1 single trades, 2 aggregate trades.
        ("trade_stream", np.int64),
        ("health", HEALTH),
        ("windows", WINDOWS),
        ("wilder", WILDER),
        ("bars", BARS),
        ("book", BOOK),
    ],
    align=True,
)


def new_state(instrument: Instrument, bar_interval_ns: int) -> RecordArray:
    """Return the state of an actor that has seen nothing. Raises `InputError` where the interval is not positive."""
    if bar_interval_ns <= 0:
        raise InputError(f"bar_interval_ns must be positive, was {bar_interval_ns}")
    state = np.zeros(1, MARKET)
    state["identity"] = _identity(instrument, bar_interval_ns)
    state["mark_price"] = np.nan
    state["bars"]["interval_ns"] = bar_interval_ns
    initialise(state["book"], instrument.tick_size)
    return state


def write(state: RecordArray) -> bytes:
    """Return the state's snapshot."""
    body = zlib.compress(state.tobytes(), _COMPRESSION)
    return _HEADER.pack(_MAGIC, STATE_VERSION, 0, zlib.crc32(body)) + body


def read(snapshot: bytes, instrument: Instrument, bar_interval_ns: int) -> RecordArray:
    """Return the state that a snapshot holds.

    Raises `InputError` where it is no such snapshot, of another version, damaged, or of another instrument.
    """
    body = _checked_body(snapshot)
    if len(body) != MARKET.itemsize:
        raise InputError(f"a market snapshot must hold {MARKET.itemsize} bytes, held {len(body)}", fix=_FIX)
    state = np.frombuffer(body, MARKET).copy()
    if state["identity"][0] != _identity(instrument, bar_interval_ns):
        raise InputError(f"a market snapshot must be of {instrument.key} and its settings, was of another", fix=_FIX)
    return state


def _checked_body(snapshot: bytes) -> bytes:
    if len(snapshot) < _HEADER.size:
        raise InputError(f"a market snapshot must have a header, had {len(snapshot)} bytes", fix=_FIX)
    magic, version, _, checksum = _HEADER.unpack_from(snapshot)
    if magic != _MAGIC:
        raise InputError(f"a market snapshot must begin with {_MAGIC!r}, began with {magic!r}", fix=_FIX)
    if version != STATE_VERSION:
        raise InputError(f"a market snapshot must be of version {STATE_VERSION}, was of {version}", fix=_FIX)
    body = snapshot[_HEADER.size :]
    if zlib.crc32(body) != checksum:
        raise InputError("a market snapshot must match its checksum, did not: it is damaged", fix=_FIX)
    try:
        return zlib.decompress(body)
    except zlib.error as error:
        raise InputError(f"a market snapshot must be readable, was not: {error}", fix=_FIX) from error


def _identity(instrument: Instrument, bar_interval_ns: int) -> int:
    text = f"{instrument.key}/{instrument.tick_size.normalize()}/{bar_interval_ns}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
