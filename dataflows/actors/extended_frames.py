"""Frames taken into the full actor's state: as `market_frames`, with the observers of the full set."""

from dataflows.actors.extended_kernels import observe_frame, observe_time
from dataflows.actors.market_frames import UNREAD
from dataflows.actors.market_gates import SET_ASIDE_RESULT
from dataflows.actors.market_kernels import apply, is_refused
from dataflows.book.state import BookResult
from dataflows.codecs.binance_frames import read_frame
from dataflows.codecs.quick_frame import DECLINED, Text
from dataflows.kernels import Floats, Integers, RecordArray, kernel

_APPLIED = int(BookResult.APPLIED)


@kernel
def on_frames(
    markets: RecordArray, extendeds: RecordArray, lengths: RecordArray,
    buffer: Text, starts: Integers, ends: Integers, times_ns: Integers, symbol: Text,
    begin: int, read: bool, frames: RecordArray, keys: Integers, quantities: Floats,
) -> tuple[int, int]:
    """Take in frames from `begin` on; see `market_frames.on_frames`."""
    market, extended, frame = markets[0], extendeds[0], frames[0]
    for index in range(begin, starts.size):
        if not (read and index == begin):
            book = market.book
            kind = read_frame(
                buffer, starts[index], ends[index], symbol, book.tick_numerator, book.tick_denominator,
                frame, keys, quantities)
            if kind == DECLINED:
                return index, UNREAD
        observe_time(extended, lengths, times_ns[index], True)
        result = apply(market, times_ns[index], frame, keys, quantities)
        if result < SET_ASIDE_RESULT:
            observe_frame(market, extended, lengths, frame, quantities, result)
        if is_refused(result):
            return index, result
    return starts.size, _APPLIED
