"""Frames taken into a market actor's state, many in one call: read, judged, applied, without Python between them."""

from dataflows.actors.market_kernels import apply, is_refused
from dataflows.book.sides import to_keys
from dataflows.book.state import BookResult
from dataflows.codecs.binance_frames import read_frame
from dataflows.codecs.quick_frame import DECLINED, Text
from dataflows.kernels import Floats, Integers, RecordArray, kernel

_APPLIED = int(BookResult.APPLIED)
#: A frame that must go the general way, through the decoder.
UNREAD = -1


@kernel
def on_frames(
    states: RecordArray, buffer: Text, starts: Integers, ends: Integers, times_ns: Integers, symbol: Text,
    begin: int, read: bool, frames: RecordArray, keys: Integers, quantities: Floats,
) -> tuple[int, int]:
    """Take in frames from `begin` on; where `read`, that one has been read into the record and arrays already.

    Stops at a frame that is no event; returns its index and `UNREAD` or why it is refused, else the number of frames
    and APPLIED.
    """
    state, frame = states[0], frames[0]
    for index in range(begin, starts.size):
        if not (read and index == begin):
            book = state.book
            kind = read_frame(
                buffer, starts[index], ends[index], symbol, book.tick_numerator, book.tick_denominator,
                frame, keys, quantities)
            if kind == DECLINED:
                return index, UNREAD
        result = apply(state, times_ns[index], frame, keys, quantities)
        if is_refused(result):
            return index, result
    return starts.size, _APPLIED


@kernel
def fill_keys(
    states: RecordArray, bids: Floats, asks: Floats, keys: Integers, quantities: Floats,
) -> bool:
    """Fill the scratch arrays with levels of prices; tell whether every price is a multiple of the tick."""
    numerator, denominator, count = states[0].book.tick_numerator, states[0].book.tick_denominator, bids.shape[0]
    if not to_keys(bids, numerator, denominator, 1, keys[:count], quantities[:count]):
        return False
    return to_keys(asks, numerator, denominator, -1, keys[count:], quantities[count:])
