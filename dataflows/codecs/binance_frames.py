"""Binance's frequent frames, read from their bytes by a kernel: best prices, trades, depth updates and mark prices.

This is a faster way to what `binance.decode` says and never another opinion: it reads only frames in the venue's usual
form (no blanks, no escapes, every watched field once and of its usual type, no value out of bounds, the expected
symbol, prices on the tick) and declines all others, which then go the general way. What it reads is a strict subset of
JSON. A frame is read to its end before it is said to be anything.

No byte outside the buffer is read, whatever it holds: the reader goes forward only over bytes that it has looked at and
that no frame's end is, and beyond them it looks at no more than `TAIL_BYTES`.
"""

import math

from dataflows.codecs import binance_keys as fields
from dataflows.codecs.digits import POWERS, read_decimal, read_whole
from dataflows.codecs.inlining import borrowed, byte_at, inlined
from dataflows.codecs.level_lists import read_level_list
from dataflows.codecs.quick_frame import (
    AGGREGATE_TRADE,
    BOOK_TICKER,
    DECLINED,
    DEPTH_UPDATE,
    MARK_PRICE,
    TAIL_BYTES,
    TRADE,
    Text,
)
from dataflows.kernels import Floats, Integers, Record

_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE, _BACKSLASH, _MINUS, _AT = (ord(character) for character in '",:[}\\-@')
_BLANK, _LAST_PRINTABLE, _ZERO, _NINE = 0x20, 0x7E, ord("0"), ord("9")
_P, _U = ord("p"), ord("u")
_STREAM, _DATA, _DEPTH = fields.text('{"stream":"'), fields.text(',"data":{'), fields.text("depth")
_MARKET, _TRUE, _FALSE = fields.text("MARKET"), fields.text("true"), fields.text("false")


@inlined
def read_frame(
    buffer: Text, start: int, end: int, symbol: Text, tick_numerator: float, tick_denominator: float,
    frame: Record, keys: Integers, quantities: Floats,
) -> int:
    """Read the frame that lies in `buffer[start:end]` into a `FRAME` and the scratch arrays; return what it is.

    The byte at `end` must be a control character (the line feed of a tape, or what `join` puts there), and
    `TAIL_BYTES` must lie from there on. The scratch arrays then hold the bids' keys in ticks, and behind them the asks'
    (negative). After `DECLINED` the record and the arrays hold nothing of use.
    """
    buffer, symbol, keys, quantities = borrowed(buffer), borrowed(symbol), borrowed(keys), borrowed(quantities)
    kind = DECLINED
    if 0 <= start < end <= buffer.size - TAIL_BYTES and byte_at(buffer, end) < _BLANK:
        at, closing, is_difference = _body(buffer, start)
        if at >= 0:
            at, seen = _read_fields(buffer, at, symbol, tick_numerator, tick_denominator, frame, keys, quantities)
            if at == end - closing and byte_at(buffer, at) == byte_at(buffer, end - 1) == _CLOSE:
                kind = _completed(seen, is_difference, frame)
    frame.kind = kind
    return kind


@inlined
def _body(text: Text, start: int) -> tuple[int, int, bool]:
    """Return where the first key is (-1: nowhere), how many braces end the frame, and if its stream has differences."""
    if not _matches(text, start, _STREAM):
        return start + 1 if byte_at(text, start) == _STREAM[0] else -1, 1, True
    name = start + _STREAM.size
    end = _text_end(text, name)
    if end < 0 or not _matches(text, end + 1, _DATA):
        return -1, 2, False
    return end + 1 + _DATA.size, 2, _is_difference(text, name, end)


@inlined
def _read_fields(
    text: Text, at: int, symbol: Text, tick_numerator: float, tick_denominator: float,
    frame: Record, keys: Integers, quantities: Floats,
) -> tuple[int, int]:
    """Read `"key":value` pairs; return where they end (-1 where they are not in the usual form), and bits of them."""
    frame.kind = DECLINED
    frame.bid_count = frame.ask_count = 0
    seen = 0
    while True:
        key, at = _key(text, at)
        if at < 0:
            return -1, seen
        byte = byte_at(text, at)
        if byte == _QUOTE:
            bit, at = _text_field(text, at + 1, key, symbol, frame)
        elif byte == _OPEN:
            bit, at = _levels_field(text, at, key, tick_numerator, tick_denominator, frame, keys, quantities)
        else:
            bit, at = _plain_field(text, at, key, frame)
        if at < 0 or seen & bit:
            return -1, seen
        seen |= bit
        if byte_at(text, at) != _COMMA:
            return at, seen
        at += 1


@inlined
def _key(text: Text, at: int) -> tuple[int, int]:
    """Read a key and its colon; return its code and where its value begins, or -1."""
    if byte_at(text, at) != _QUOTE:
        return fields.OTHER, -1
    end = _text_end(text, at + 1)
    if end < 0 or byte_at(text, end + 1) != _COLON:
        return fields.OTHER, -1
    if end == at + 2:
        return int(byte_at(text, at + 1)), end + 2
    is_previous = end == at + 3 and byte_at(text, at + 1) == _P and byte_at(text, at + 2) == _U
    return fields.PREVIOUS if is_previous else fields.OTHER, end + 2


@inlined
def _text_field(text: Text, at: int, key: int, symbol: Text, frame: Record) -> tuple[int, int]:
    """Read a value in quotes from behind the first; return the field's bit and where the value ends, or -1."""
    slot = fields.DECIMAL_SLOT[key]
    if slot >= 0:
        negative = key == fields.FUNDING_RATE and byte_at(text, at) == _MINUS
        mantissa, decimals, end = read_decimal(text, at + 1 if negative else at)
        if end < 0:
            return 0, -1
        value = mantissa / POWERS[decimals]
        frame.decimals[slot] = -value if negative else value
        return 1 << slot, end + 1
    end = _text_end(text, at)
    if end < 0:
        return 0, -1
    if key == fields.EVENT:
        frame.kind = _kind(text, at, end)
        return fields.SAW_EVENT, end + 1
    if key == fields.SYMBOL:
        return fields.SAW_SYMBOL, end + 1 if _equals(text, at, end, symbol) else -1
    if key == fields.EXECUTION:
        return fields.SAW_EXECUTION, end + 1 if _equals(text, at, end, _MARKET) else -1
    return 0, -1 if fields.IS_WATCHED[key] else end + 1


@inlined
def _levels_field(
    text: Text, at: int, key: int, tick_numerator: float, tick_denominator: float,
    frame: Record, keys: Integers, quantities: Floats,
) -> tuple[int, int]:
    """Read a list of levels, the asks behind the bids; return the field's bit and where it ends, or -1."""
    is_bids = key == fields.BIDS and frame.ask_count == 0
    if not is_bids and key != fields.ASKS:
        return 0, -1
    sign, before = (1, 0) if is_bids else (-1, frame.bid_count)
    end, count = read_level_list(text, at, tick_numerator, tick_denominator, sign, before, keys, quantities)
    if is_bids:
        frame.bid_count = count
        return fields.SAW_BIDS, end
    frame.ask_count = count - before
    return fields.SAW_ASKS, end


@inlined
def _plain_field(text: Text, at: int, key: int, frame: Record) -> tuple[int, int]:
    """Read true, false or a whole number; return the field's bit and where the value ends, or -1."""
    slot = fields.WHOLE_SLOT[key]
    is_free = not fields.IS_WATCHED[key]
    if _ZERO <= byte_at(text, at) <= _NINE:
        value, end = read_whole(text, at)
        if slot < 0:
            return 0, end if is_free else -1
        frame.wholes[slot] = value
        return fields.FIRST_WHOLE_BIT << slot, end
    is_true = _matches(text, at, _TRUE)
    if not (is_true or _matches(text, at, _FALSE)):
        return 0, -1
    end = at + _TRUE.size if is_true else at + _FALSE.size
    if key == fields.MAKER:
        frame.buyer_is_maker = is_true
        return fields.SAW_MAKER, end
    return 0, end if is_free else -1


@inlined
def _completed(seen: int, is_difference: bool, frame: Record) -> int:
    """Fill the fields of the kind; return it where the frame has all that it needs and nothing out of bounds."""
    complete = False
    kind, decimals, wholes = frame.kind, frame.decimals, frame.wholes
    frame.event_time_ms = _whole(seen, wholes, fields.EVENT_TIME)
    frame.transaction_time_ms = _whole(seen, wholes, fields.TIME)
    if kind == BOOK_TICKER:
        complete = seen & ~fields.TIMES == fields.TICKER_FIELDS
        complete &= decimals[fields.BID] > 0.0 and decimals[fields.ASK] > 0.0
        frame.last_update_id = wholes[fields.LAST_ID]
        frame.best_bid, frame.best_bid_quantity = decimals[fields.BID], decimals[fields.BID_QUANTITY]
        frame.best_ask, frame.best_ask_quantity = decimals[fields.ASK], decimals[fields.ASK_QUANTITY]
    elif kind == DEPTH_UPDATE:
        complete = is_difference and seen & ~fields.TIMES == fields.DEPTH_FIELDS
        complete &= wholes[fields.FIRST_ID] <= wholes[fields.LAST_ID]
        frame.first_update_id, frame.last_update_id = wholes[fields.FIRST_ID], wholes[fields.LAST_ID]
        frame.previous_update_id = wholes[fields.PREVIOUS_ID]
    elif kind in (TRADE, AGGREGATE_TRADE):
        more = fields.TRADE_MORE if kind == TRADE else fields.AGGREGATE_MORE
        complete = seen & ~more == fields.TRADE_FIELDS and decimals[fields.PRICE] > 0.0
        frame.price, frame.quantity = decimals[fields.PRICE], decimals[fields.QUANTITY]
        frame.trade_id = _whole(seen, wholes, fields.TRADE_ID if kind == TRADE else fields.AGGREGATE_ID)
        frame.first_trade_id = _whole(seen, wholes, fields.FIRST_TRADE)
        frame.last_trade_id = _whole(seen, wholes, fields.LAST_TRADE)
    elif kind == MARK_PRICE:
        complete = seen & ~fields.MARK_MORE == fields.MARK_FIELDS and decimals[fields.PRICE] > 0.0
        has_index = seen & 1 << fields.INDEX and decimals[fields.INDEX] > 0.0
        frame.mark_price = decimals[fields.PRICE]
        frame.index_price = decimals[fields.INDEX] if has_index else math.nan
        frame.funding_rate = decimals[fields.RATE] if seen & 1 << fields.RATE else math.nan
        frame.next_funding_time_ms, frame.transaction_time_ms = frame.transaction_time_ms, 0
    return kind if complete else DECLINED


@inlined
def _whole(seen: int, wholes: Integers, slot: int) -> int:
    """Return a whole number that was read, or 0."""
    return int(wholes[slot]) if seen & fields.FIRST_WHOLE_BIT << slot else 0


@inlined
def _kind(text: Text, at: int, end: int) -> int:
    kind = DECLINED
    if _equals(text, at, end, fields.TICKER_NAME):
        kind = BOOK_TICKER
    elif _equals(text, at, end, fields.TRADE_NAME):
        kind = TRADE
    elif _equals(text, at, end, fields.AGGREGATE_NAME):
        kind = AGGREGATE_TRADE
    elif _equals(text, at, end, fields.DEPTH_NAME):
        kind = DEPTH_UPDATE
    elif _equals(text, at, end, fields.MARK_NAME):
        kind = MARK_PRICE
    return kind


@inlined
def _is_difference(text: Text, at: int, end: int) -> bool:
    """Tell whether a stream's name may be that of depth differences: `@depth`, alone or before another `@`."""
    for index in range(at, end):
        if byte_at(text, index) == _AT and not _ZERO <= byte_at(text, index + 1) <= _NINE:
            after = index + 1 + _DEPTH.size
            if not _matches(text, index + 1, _DEPTH) or byte_at(text, after) not in (_AT, _QUOTE):
                return False
    return True


@inlined
def _text_end(text: Text, at: int) -> int:
    """Return where the closing quote is, or -1 where something comes before it that must be unescaped or checked."""
    while byte_at(text, at) != _QUOTE:
        byte = byte_at(text, at)
        if byte == _BACKSLASH or byte < _BLANK or byte > _LAST_PRINTABLE:
            return -1
        at += 1
    return at


@inlined
def _matches(text: Text, at: int, expected: Text) -> bool:
    """Tell whether some bytes come next. Whoever asks has looked at all before `at`, so the tail is long enough."""
    for index in range(expected.size):
        if byte_at(text, at + index) != expected[index]:
            return False
    return True


@inlined
def _equals(text: Text, at: int, end: int, expected: Text) -> bool:
    return end - at == expected.size and _matches(text, at, expected)
