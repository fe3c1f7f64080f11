"""The market actor: one instrument's frames in, a row of features at each tick of event time out.

It decodes, keeps the book by the venue's sequence rules, builds bars and rolling windows, and can be written down and
restored between any two frames with the same results to the bit. Event time is the frames' receive time. The actor
reads no clock, keeps no frames and decides nothing. This one makes the light set of features; `extended` has the one
that makes the full set.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dataflows.actors import market_batches, market_features, market_frames, market_state
from dataflows.actors.market_events import Scratch
from dataflows.actors.market_health import BookHealth, health_of
from dataflows.actors.market_rows import BookTop, FeatureRow, FeatureTable
from dataflows.actors.market_verdicts import verdict_of
from dataflows.bars import BAR_CAPACITY
from dataflows.codecs import binance_events as events
from dataflows.codecs.binance import Rejection, decode
from dataflows.codecs.quick_frame import Text, join
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.kernels import Floats, Integers, RecordArray
from dataflows.quality.state import counts_of
from dataflows.tapes.frames import Frame
from dataflows.tapes.rows import Rows
from sluice.errors import InputError, InvariantError
from sluice.instruments import Instrument, InstrumentCatalog

__all__ = ["BookHealth", "BookTop", "FeatureRow", "FeatureTable", "MarketActor"]

SECOND_NS = 1_000_000_000
#: Ticks for which a kernel finds room before it must come back.
_TICKS_A_CALL = 64
#: One frame for each kernel.
_EXAMPLES = (
    b'{ "e":"bookTicker","s":"BTCUSDT","u":1,"b":"1.0","B":"1","a":"1.1","A":"1"}',
    b'{ "e":"trade","s":"BTCUSDT","p":"1.0","q":"1","m":true,"X":"MARKET"}',
    b'{"e":"bookTicker","s":"BTCUSDT","u":1,"b":"1.0","B":"1","a":"1.1","A":"1"}',
    b'{"e":"trade","s":"BTCUSDT","p":"1.0","q":"1","m":true,"X":"MARKET"}',
    b'{"e":"markPriceUpdate","s":"BTCUSDT","p":"1.0"}',
    b'{"e":"kline","s":"BTCUSDT","k":{"o":"1.0","h":"1.0","l":"1.0","c":"1.0","v":"1"}}',
    b'{"lastUpdateId":1,"bids":[["1.0","1"]],"asks":[["1.1","1"]]}',
    b'{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["1.0","2"]],"a":[]}',
    b"{",
)


class MarketActor:
    """All that is known of one instrument.

    `snapshot` is what `snapshot()` gave; the bars' length must then be the same. Raises `InputError` where it cannot be
    read.
    """

    def __init__(
        self, instrument: Instrument, snapshot: bytes | None = None, *, bar_interval_ns: int = SECOND_NS,
    ) -> None:
        if snapshot is None:
            self._prepare(instrument, market_state.new_state(instrument, bar_interval_ns))
        else:
            self._prepare(instrument, market_state.read(snapshot, instrument, bar_interval_ns))

    def _prepare(self, instrument: Instrument, state: RecordArray) -> None:
        """Make everything ready around a state."""
        self._key, self._symbol, self._state = instrument.key, instrument.symbol, state
        self._symbol_text = np.frombuffer(self._symbol.encode(), np.uint8)
        self._scratch = Scratch()
        self._starts_known = False
        self._room = FeatureTable.empty(self.schema, _TICKS_A_CALL)
        self._no_ticks = FeatureTable.empty(self.schema, 0)
        self._best = np.empty(market_features.TOP_SIZE)
        self._values = np.empty(len(self.schema.features))
        self._valid = np.empty(len(self.schema.features), np.bool_)

    @property
    def schema(self) -> FeatureSchema:
        """Return the schema of the rows."""
        return MARKET_SCHEMA

    @classmethod
    def warm(cls) -> None:
        """Compile every kernel, so that the first frame of a live stream is as fast as any other."""
        actor = cls(InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT"))
        for sequence, payload in enumerate(_EXAMPLES, start=1):
            actor.on_frame(Frame(sequence, sequence * SECOND_NS, payload))
        actor.on_tick((len(_EXAMPLES) + 1) * SECOND_NS)

    def on_frame(self, frame: Frame) -> DeadLetter | None:
        """Take in a frame. Every one is either one event (None) or one dead letter."""
        letters = self.on_frames((frame,))
        return letters[0] if letters else None

    def on_frames(self, frames: Sequence[Frame]) -> list[DeadLetter]:
        """Take in frames as `on_frame` does each, in one pass; return the dead letters among them, in order."""
        buffer, starts, ends = join([frame.payload for frame in frames])
        times_ns = np.array([frame.receive_time_ns for frame in frames], np.int64)
        return self._take(buffer, starts, ends, times_ns, frames.__getitem__)

    def on_block(
        self, buffer: Text, starts: Integers, ends: Integers, times_ns: Integers, sequences: Integers,
    ) -> list[DeadLetter]:
        """Take in the frames `buffer[start:end]` of those receive times and line numbers, shape (frames,) each.

        They must lie in the buffer as `read_frame` reads them. Gives what `on_frames` gives.
        """
        def frame_of(index: int) -> Frame:
            return Frame(
                int(sequences[index]), int(times_ns[index]), buffer[starts[index] : ends[index]].tobytes())

        return self._take(buffer, starts, ends, times_ns, frame_of)

    def _take(
        self, buffer: Text, starts: Integers, ends: Integers, times_ns: Integers, frame_of: Callable[[int], Frame],
    ) -> list[DeadLetter]:
        """Take in frames that lie in a buffer; `frame_of` gives one that the kernels cannot take in alone."""
        letters: list[DeadLetter] = []
        index, read = 0, False
        while index < len(starts):
            index, result = self._run_frames(buffer, starts, ends, times_ns, index, read)
            if index == len(starts):
                break
            read, letter, frame = False, None, frame_of(index)
            if result == market_frames.UNREAD:
                letter = self._read(frame)
                read = letter is None
            else:
                letter = self._dead_letter(frame, *verdict_of(result, self._state["book"]))
            if letter is not None:
                letters.append(letter)
                index += 1
        return letters

    def _run_frames(
        self, buffer: Text, starts: Integers, ends: Integers, times_ns: Integers, begin: int, read: bool,
    ) -> tuple[int, int]:
        """Run the kernel over frames from `begin` on; see `market_frames.on_frames`."""
        scratch = self._scratch
        return market_frames.on_frames(
            self._state, buffer, starts, ends, times_ns, self._symbol_text, begin, read,
            scratch.frame, scratch.keys, scratch.quantities)

    def _read(self, frame: Frame) -> DeadLetter | None:
        """Read a frame by the general way into the scratch record, or say why it cannot be used."""
        event = decode(frame.payload)
        if isinstance(event, Rejection):
            return self._rejected(frame, event.reason, event.message)
        if event.symbol != self._symbol and not (event.symbol == "" and isinstance(event, events.DepthSnapshot)):
            message = f"symbol must be {self._symbol}, was {event.symbol[:40]!r}"
            return self._rejected(frame, DeadLetterReason.UNKNOWN_INSTRUMENT, message)
        self._scratch.fill(self._state, event)
        return None

    def on_rows(self, rows: Rows, *, tick_interval_ns: int, starts_known: bool = False) -> FeatureTable:
        """Take in rows of a compiled tape; return the features at every tick that comes before one of them.

        Ticks are at the multiples of the interval. The book is unknown until a snapshot, unless `starts_known`: then
        the tape holds every level since the book was empty. An actor is fed with rows or with frames, not with both.
        Raises `InputError` where the interval is not positive.
        """
        if tick_interval_ns <= 0:
            raise InputError(f"tick_interval_ns must be positive, was {tick_interval_ns}")
        if starts_known and not self._starts_known:
            self._state["rows"]["loaded"] = 1
            self._starts_known = True
        parts, begin, count = [], 0, len(rows)
        while begin < count:
            begin, filled = self._run_rows(rows, begin, tick_interval_ns, self._room)
            if filled:
                parts.append(self._room[:filled].copy())
        return FeatureTable.joined(parts) if parts else self._no_ticks

    def _run_rows(self, rows: Rows, begin: int, interval_ns: int, table: FeatureTable) -> tuple[int, int]:
        """Run the kernel over rows from `begin` on; see `market_batches.on_rows`."""
        return market_batches.on_rows(
            self._state, rows, begin, interval_ns, table.times_ns, table.tops, table.values)

    def on_tick(self, tick_time_ns: int) -> FeatureRow:
        """Return the features as of a tick, from the frames so far.

        Raises `InvariantError` where a frame or tick after it has been read: features would look ahead.
        """
        state = self._state[0]
        if tick_time_ns < state["event_time_ns"]:
            raise InvariantError(f"a tick must be at or after {state['event_time_ns']}, was {tick_time_ns}")
        synced = self._run_tick(tick_time_ns)
        top = BookTop(
            *_four(self._best), float(state["mark_price"]), synced, int(state["book_time_ns"]))
        return FeatureRow(
            self._key, tick_time_ns, int(state["sequence"]), self.schema.hash,
            tuple(self._values.tolist()), tuple(self._valid.tolist()), top,
            int(state["events"]), int(state["dead_letters"]), health_of(self._state), self._flags(),
        )

    def _flags(self) -> tuple[tuple[str, int], ...]:
        """Return what the gates found so far, by reason."""
        gates = self._state["quality"]
        return tuple(counts_of(gates[0]).items()) if gates["counts"].any() else ()

    def _run_tick(self, tick_time_ns: int) -> bool:
        """Fill the top, the values and what is valid of them; see `market_features.on_tick`."""
        return market_features.on_tick(self._state, tick_time_ns, self._best, self._values, self._valid)

    def snapshot(self) -> bytes:
        """Return the whole state: versioned, checksummed, and restored exactly by the constructor."""
        return market_state.write(self._state)

    def bars(self) -> NDArray[np.void]:
        """Return a copy of the closed bars that are remembered, the oldest first; see `dataflows.bars.BAR`."""
        closed = int(self._state["bars"]["closed"][0])
        order = np.arange(max(0, closed - BAR_CAPACITY), closed) % BAR_CAPACITY
        bars: NDArray[np.void] = self._state["bars"]["ring"][0][order]
        return bars

    def _rejected(self, frame: Frame, reason: DeadLetterReason, message: str) -> DeadLetter:
        self._state["dead_letters"] += 1
        return self._dead_letter(frame, reason, message)

    def _dead_letter(self, frame: Frame, reason: DeadLetterReason, message: str) -> DeadLetter:
        return DeadLetter(reason, message, frame.sequence, frame.receive_time_ns, frame.payload, self._key)


def _four(values: Floats) -> tuple[float, float, float, float]:
    first, second, third, fourth = values.tolist()
    return first, second, third, fourth
