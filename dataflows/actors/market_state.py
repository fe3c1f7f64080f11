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
from dataflows.actors.market_rows_state import ROWS
from dataflows.bars import BARS
from dataflows.book.state import BOOK, initialise
from dataflows.indicators.wilder import WILDER
from dataflows.indicators.windows import WINDOWS
from dataflows.kernels import RecordArray
from dataflows.quality.state import QUALITY
from sluice.errors import InputError
from sluice.instruments import Instrument

STATE_VERSION = 3
_MAGIC = b"SLMA"
_HEADER = struct.Struct("<4sHHI")
_COMPRESSION = 1
#: What to do about a snapshot that cannot be read.
FIX = "start without the snapshot and read the stream from its beginning"

MARKET = np.dtype(
    [
        # Which instrument and settings the state belongs to.
        ("identity", np.int64),
        ("event_time_ns", np.int64),
        # The first whole second after it.
        ("next_second_ns", np.int64),
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
        # Best bid, its quantity, best ask and its quantity, where a kernel last had to look.
        ("best", np.float64, (4,)),
        # Which stream of trades is read: 0 none yet, 1 single trades, 2 aggregate trades.
        ("trade_stream", np.int64),
        # When the first of the other kind came after the last of the kind that is read; 0 for none.
        ("other_trades_since_ns", np.int64),
        ("health", HEALTH),
        ("rows", ROWS),
        ("quality", QUALITY),
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
    return pack(state.tobytes(), 0)


def read(snapshot: bytes, instrument: Instrument, bar_interval_ns: int) -> RecordArray:
    """Return the state that a snapshot holds.

    Raises `InputError` where it is no such snapshot, of another version, damaged, or of another instrument.
    """
    return record_of(unpack(snapshot, MARKET.itemsize, 0), instrument, bar_interval_ns)


def record_of(body: bytes, instrument: Instrument, bar_interval_ns: int) -> RecordArray:
    """Return the record of some bytes. Raises `InputError` where it is of another instrument or other settings."""
    state = np.frombuffer(body, MARKET).copy()
    if state["identity"][0] != _identity(instrument, bar_interval_ns):
        raise InputError(f"a market snapshot must be of {instrument.key} and its settings, was of another", fix=FIX)
    return state


def pack(body: bytes, bars: int) -> bytes:
    """Return a snapshot of some bytes; `bars` is how many lengths of bars are observed, 0 for the light set."""
    compressed = zlib.compress(body, _COMPRESSION)
    return _HEADER.pack(_MAGIC, STATE_VERSION, bars, zlib.crc32(compressed)) + compressed


def unpack(snapshot: bytes, size: int, bars: int) -> bytes:
    """Return the bytes of a snapshot, which must be so many. Raises `InputError`."""
    if len(snapshot) < _HEADER.size:
        raise InputError(f"a market snapshot must have a header, had {len(snapshot)} bytes", fix=FIX)
    magic, version, given_bars, checksum = _HEADER.unpack_from(snapshot)
    if magic != _MAGIC:
        raise InputError(f"a market snapshot must begin with {_MAGIC!r}, began with {magic!r}", fix=FIX)
    if version != STATE_VERSION:
        raise InputError(f"a market snapshot must be of version {STATE_VERSION}, was of {version}", fix=FIX)
    compressed = snapshot[_HEADER.size :]
    if zlib.crc32(compressed) != checksum:
        raise InputError("a market snapshot must match its checksum, did not: it is damaged", fix=FIX)
    if given_bars != bars:
        raise InputError(f"a market snapshot must be of {_set(bars)}, was of {_set(given_bars)}", fix=FIX)
    try:
        body = zlib.decompress(compressed)
    except zlib.error as error:
        raise InputError(f"a market snapshot must be readable, was not: {error}", fix=FIX) from error
    if len(body) != size:
        raise InputError(f"a market snapshot must hold {size} bytes, held {len(body)}", fix=FIX)
    return body


def _set(bars: int) -> str:
    return f"the full set with {bars} lengths of bars" if bars else "the light set"


def _identity(instrument: Instrument, bar_interval_ns: int) -> int:
    text = f"{instrument.key}/{instrument.tick_size.normalize()}/{bar_interval_ns}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
