"""The gates: is an event what it seems to be? Each answers in bits, bit n for the reason of number n; 0 is fine.

A gate is asked before the event is applied, knows only what came before it, and counts what it finds. `found &
SET_ASIDE` says that the event must not be applied. Times are nanoseconds, 0 where the venue does not say one; prices
are NaN where unknown. A depth update's sequence is the book's matter.
"""

import math

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.kernels import Record, part
from dataflows.quality.outliers import is_outlier
from dataflows.quality.sequences import id_bits
from dataflows.quality.state import AGGREGATE_TRADES, DEPTH, MARKS, SET_ASIDE, TICKER, TRADES

_MILLISECOND_NS = 1_000_000
_SECOND_NS = 1_000 * _MILLISECOND_NS
_DAY_NS = 86_400 * _SECOND_NS

#: An event time may be this much ahead of the receive time: clocks are read in whole milliseconds.
LONGEST_LEAD_NS = _MILLISECOND_NS
#: Of a venue's clock that is known to be ahead, how much further ahead it may be.
LEAD_SPARE_NS = _SECOND_NS
LATEST_RECEIPT_NS = _SECOND_NS
#: The part of its lateness by which a late event takes back the lead.
_LEAD_STEPS = 64
#: The longest usual silence of each class of streams.
SILENCES_NS = tuple(seconds * _SECOND_NS for seconds in (5, 5, 120, 120, 10))
#: A price off the market by more than this factor is no print of it.
FURTHEST_FACTOR = 1.25

_INVALID_PRICE, _INVALID_QUANTITY = 1 << int(Reason.INVALID_PRICE), 1 << int(Reason.INVALID_QUANTITY)
_FAR_PRICE, _EMPTY_TRADE, _OUTLIER = (
    1 << int(Reason.FAR_PRICE), 1 << int(Reason.EMPTY_TRADE), 1 << int(Reason.OUTLIER))
_CROSSED, _LOCKED = 1 << int(Reason.CROSSED_BOOK), 1 << int(Reason.LOCKED_BOOK)
_ID_REVERSED, _STALE = 1 << int(Reason.ID_REVERSED), 1 << int(Reason.STALE_STREAM)
_INVALID_TIME, _FUTURE, _LATE = (
    1 << int(Reason.INVALID_TIME), 1 << int(Reason.EVENT_FROM_FUTURE), 1 << int(Reason.LATE_RECEIPT))
_EVENT_REVERSED = 1 << int(Reason.EVENT_TIME_REVERSED)
_TRANSACTION_REVERSED = 1 << int(Reason.TRANSACTION_TIME_REVERSED)
_REASON_COUNT = int(max(Reason)) + 1


@part
def judge_depth(quality: Record, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int) -> int:
    """Judge a depth update: its times. The book judges its ids, levels and whether it crosses."""
    return note(quality, _times(quality, DEPTH, receive_time_ns, event_time_ns, transaction_time_ns))


@part
def judge_mark(quality: Record, receive_time_ns: int, event_time_ns: int) -> int:
    """Judge a mark price: its times."""
    return note(quality, _times(quality, MARKS, receive_time_ns, event_time_ns, 0))


@part
def judge_ticker(
    quality: Record, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int,
    update_id: int, bid: float, ask: float,
) -> int:
    """Judge best prices: times, the order of update ids, and that the bid is below the ask."""
    found = _times(quality, TICKER, receive_time_ns, event_time_ns, transaction_time_ns)
    stream = quality.streams[TICKER]
    if update_id < stream.last_id:
        found |= _ID_REVERSED
    stream.last_id = update_id
    return note(quality, found | touch_bits(bid, ask))


@part
def judge_trade(
    quality: Record, aggregate: bool, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int,
    trade_id: int, price: float, quantity: float, mid: float,
) -> int:
    """Judge a trade of the book: times, id, price against the middle of the book (NaN unknown), and size.

    `trade_id` is the aggregate's own id for one that is `aggregate`, 0 where the venue does not say one.
    """
    at = AGGREGATE_TRADES if aggregate else TRADES
    stream = quality.streams[at]
    found = id_bits(stream, trade_id, is_newer(stream.newest_time_ns, receive_time_ns, transaction_time_ns))
    found |= _times(quality, at, receive_time_ns, event_time_ns, transaction_time_ns)
    found |= _print_bits(quality, price, quantity, mid)
    if found & (SET_ASIDE | _EMPTY_TRADE) == 0:
        found |= _unusual(quality, price, quantity)
    return note(quality, found)


@part
def judge_other_trade(
    quality: Record, receive_time_ns: int, event_time_ns: int, transaction_time_ns: int, trade_id: int, quantity: float,
) -> int:
    """Judge what a stream of trades says besides prints of the book, as of the insurance fund: times and id alone."""
    stream = quality.streams[TRADES]
    found = id_bits(stream, trade_id, is_newer(stream.newest_time_ns, receive_time_ns, transaction_time_ns))
    found |= _times(quality, TRADES, receive_time_ns, event_time_ns, transaction_time_ns)
    return note(quality, found | (_EMPTY_TRADE if quantity == 0.0 else 0))


@part
def judge_silence(quality: Record, now_ns: int) -> int:
    """Tell of each class of streams that has been silent for too long by now, once a silence.

    A class of which nothing was received yet is not missed.
    """
    found = 0
    for at in range(len(SILENCES_NS)):
        stream = quality.streams[at]
        if _is_silent(quality, at, now_ns):
            stream.silent = 1
            found = note(quality, _STALE)
    return found


@part
def note(quality: Record, found: int) -> int:
    """Count each reason whose bit is set; return the bits."""
    if found != 0:
        for reason in range(1, _REASON_COUNT):
            quality.counts[reason] += (found >> reason) & 1
    return found


@part
def touch_bits(bid: float, ask: float) -> int:
    """Judge best prices: 0 where the bid is below the ask or one is unknown."""
    if bid > ask:
        return _CROSSED
    return _LOCKED if bid == ask else 0


@part
def _times(quality: Record, at: int, receive_ns: int, event_ns: int, transaction_ns: int) -> int:
    stream = quality.streams[at]
    found = _STALE if _is_silent(quality, at, receive_ns) else 0
    stream.silent = 0
    stream.receive_time_ns = max(stream.receive_time_ns, receive_ns)
    latest_ns = receive_ns + quality.clock_lead_ns + LEAD_SPARE_NS
    if event_ns != 0:
        if abs(receive_ns - event_ns) >= _DAY_NS:
            found |= _INVALID_TIME
        else:
            found |= _EVENT_REVERSED if event_ns < stream.event_time_ns else 0
            stream.event_time_ns = event_ns
            found |= _delay_bits(quality, receive_ns - event_ns)
    if transaction_ns != 0:
        if abs(receive_ns - transaction_ns) >= _DAY_NS:
            return found | _INVALID_TIME
        found |= _TRANSACTION_REVERSED if transaction_ns < stream.transaction_time_ns else 0
        stream.transaction_time_ns = transaction_ns
        stream.newest_time_ns = max(stream.newest_time_ns, min(transaction_ns, latest_ns))
    return found


@part
def is_newer(newest_time_ns: int, receive_time_ns: int, transaction_time_ns: int) -> bool:
    """Tell whether a transaction took place after all before it, whose latest time is given (0: none yet).

    It does not where its time cannot be: a clock that is days off says nothing of what came first.
    """
    return transaction_time_ns > newest_time_ns and abs(receive_time_ns - transaction_time_ns) < _DAY_NS


@part
def _is_silent(quality: Record, at: int, now_ns: int) -> bool:
    stream = quality.streams[at]
    return bool(stream.receive_time_ns > 0 and stream.silent == 0 and now_ns - stream.receive_time_ns > SILENCES_NS[at])


@part
def _delay_bits(quality: Record, delay_ns: int) -> int:
    lead = quality.clock_lead_ns
    if -delay_ns > (lead + LEAD_SPARE_NS if lead > 0 else LONGEST_LEAD_NS):
        quality.clock_lead_ns = -delay_ns
        return _FUTURE
    late_ns = delay_ns + lead
    if late_ns <= LATEST_RECEIPT_NS:
        return 0
    # If all are late from here on, it was the lead that was wrong: a single bad time must not make them so for ever.
    quality.clock_lead_ns = max(0, lead - late_ns // _LEAD_STEPS)
    return _LATE


@part
def _print_bits(quality: Record, price: float, quantity: float, mid: float) -> int:
    """Judge price and quantity of a trade.

    A price is believed near the middle of the book or near the last trade that was: in a crash the book may lag behind.
    What is far off from both stays suspect until a second trade near it confirms it.
    """
    if quantity == 0.0:
        return _EMPTY_TRADE
    if not 0.0 < price < math.inf:
        return _INVALID_PRICE
    if not 0.0 < quantity < math.inf:
        return _INVALID_QUANTITY
    last, suspect = quality.last_price, quality.suspect_price
    if _is_near(price, mid) or _is_near(price, last) or _is_near(price, suspect) or (last == 0.0 and math.isnan(mid)):
        quality.suspect_price = 0.0
        return 0
    quality.suspect_price = price
    return _FAR_PRICE


@part
def _is_near(price: float, usual: float) -> bool:
    return usual / FURTHEST_FACTOR <= price <= usual * FURTHEST_FACTOR


@part
def _unusual(quality: Record, price: float, quantity: float) -> int:
    """Judge a believed trade by what the stream has shown so far, and learn from it."""
    found = _OUTLIER if is_outlier(quality.quantities, quantity) else 0
    last = quality.last_price
    if last > 0.0 and price != last and is_outlier(quality.steps, abs(price - last) / last):
        found = _OUTLIER
    quality.last_price = price
    return found
