"""What observes the stream for the full set of features: bars of several lengths and the families of indicators.

The light actor's state takes every event first. An observer then gets the event and the best prices before and after
it. Seconds are entered and bars closed before the event that comes after their end, as in the light state: nothing
looks ahead. After a long silence the families of seconds begin anew.
"""

import math

from dataflows import bars
from dataflows.actors.extended_state import SECOND_NS
from dataflows.actors.market_gates import nanoseconds
from dataflows.actors.market_kernels import fill_top
from dataflows.actors.market_kinds import LIQUIDATION, OPEN_INTEREST, SNAPSHOT
from dataflows.book.state import BookResult
from dataflows.codecs.quick_frame import AGGREGATE_TRADE, BOOK_TICKER, DEPTH_UPDATE, MARK_PRICE, TRADE
from dataflows.indicators.microstructure import observer as microstructure
from dataflows.indicators.microstructure import prevailing
from dataflows.indicators.microstructure.best_prices import mid_price
from dataflows.indicators.statistical import state as statistical
from dataflows.indicators.technical import family as technical
from dataflows.kernels import Floats, Record, RecordArray, part

_APPLIED, _REJOINED = int(BookResult.APPLIED), int(BookResult.REJOINED)
#: A longer time without an event lets the families of seconds begin anew, however many ticks fall into it.
LONGEST_SILENCE_S = 600


@part
def observe_time(extended: Record, lengths: RecordArray, time_ns: int, is_event: bool) -> None:
    """Let event time go to `time_ns`, before the event or the tick of that time."""
    if time_ns >= extended.next_second_ns:
        _enter(extended, lengths, time_ns // SECOND_NS)
    if is_event:
        extended.event_second = extended.second


@part
def _enter(extended: Record, lengths: RecordArray, second: int) -> None:
    first, silence_s = extended.second + 1, second - extended.event_second
    if silence_s > LONGEST_SILENCE_S:
        _restart_bars(extended, lengths, silence_s * SECOND_NS)
        _close_bars(extended, lengths, second * SECOND_NS)
        microstructure.restart(extended.microstructure)
        statistical.restart(extended.statistical)
        first = second
    for entered in range(first, second + 1):
        _close_bars(extended, lengths, entered * SECOND_NS)
        microstructure.on_second(extended.microstructure, entered, extended.top)
        statistical.on_second(extended.statistical, entered, mid_price(extended.top[0], extended.top[2]))
    extended.second = second
    extended.next_second_ns = (second + 1) * SECOND_NS


@part
def _restart_bars(extended: Record, lengths: RecordArray, silence_ns: int) -> None:
    """Forget bars of a length at which not one that is remembered would have had an event."""
    for index in range(lengths.size):
        length = lengths[index]
        if silence_ns > bars.BAR_CAPACITY * length.bars.interval_ns:
            bars.restart(length.bars)
            technical.restart(length.technical)
    if silence_ns > bars.BAR_CAPACITY * extended.minutes.interval_ns:
        bars.restart(extended.minutes)


@part
def _close_bars(extended: Record, lengths: RecordArray, time_ns: int) -> None:
    """Close the bars that end by a time, the families told of each."""
    for index in range(lengths.size):
        length = lengths[index]
        while bars.is_due(length.bars, time_ns):
            technical.add_bar(length.technical, length.bars.current)
            bars.close_bar(length.bars)
    minutes = extended.minutes
    while bars.is_due(minutes, time_ns):
        statistical.add_bar(extended.statistical, minutes.current)
        bars.close_bar(minutes)


@part
def observe_frame(
    market: Record, extended: Record, lengths: RecordArray, frame: Record, quantities: Floats, result: int,
) -> None:
    """Observe a frame that the market state has taken in with a result."""
    kind, time_ns = frame.kind, market.event_time_ns
    if kind in (TRADE, AGGREGATE_TRADE):
        if result == _APPLIED:
            sign = -1.0 if frame.buyer_is_maker != 0 else 1.0
            venue_ns = nanoseconds(frame.transaction_time_ms)
            observe_trade(extended, lengths, time_ns, venue_ns, frame.price, frame.quantity, sign)
    elif kind == MARK_PRICE:
        extended.next_funding_time_ns = nanoseconds(frame.next_funding_time_ms)
        microstructure.on_mark(
            extended.microstructure, time_ns, frame.mark_price, frame.index_price, frame.funding_rate,
            extended.next_funding_time_ns)
    elif kind == OPEN_INTEREST:
        microstructure.on_open_interest(extended.microstructure, time_ns, frame.quantity)
    elif kind == LIQUIDATION:
        sign = -1.0 if frame.buyer_is_maker != 0 else 1.0
        microstructure.on_liquidation(extended.microstructure, time_ns, frame.price, frame.quantity, sign)
    elif kind in (BOOK_TICKER, DEPTH_UPDATE, SNAPSHOT):
        if kind == DEPTH_UPDATE and result in (_APPLIED, _REJOINED):
            levels = frame.bid_count + frame.ask_count
            removed = 0
            for index in range(levels):
                removed += quantities[index] == 0.0
            microstructure.on_levels(extended.microstructure, time_ns, levels - removed, removed)
        observe_top(market, extended, nanoseconds(frame.transaction_time_ms))


@part
def observe_trade(
    extended: Record, lengths: RecordArray, time_ns: int, venue_ns: int, price: float, quantity: float, sign: float,
) -> None:
    """Observe a trade; `sign` is 1 where the taker bought, else -1, `venue_ns` its time by the venue, 0 unknown."""
    prevailing.find(extended.prevailing, venue_ns)
    microstructure.on_trade(extended.microstructure, time_ns, price, quantity, sign, extended.prevailing.found)
    for index in range(lengths.size):
        bars.add_trade(lengths[index].bars, time_ns, price, quantity)
    bars.add_trade(extended.minutes, time_ns, price, quantity)


@part
def observe_levels(market: Record, extended: Record) -> None:
    """Observe that the open group of levels of a compiled tape has ended."""
    rows = market.rows
    microstructure.on_levels(extended.microstructure, market.event_time_ns, rows.changed, rows.removed)


@part
def observe_top(market: Record, extended: Record, venue_ns: int) -> None:
    """Look whether the best prices are others than before, and tell of it; `venue_ns` is when by the venue, or 0."""
    top, before = extended.top, extended.top_before
    before[:] = top
    fill_top(market, top)
    if math.isnan(before[0]) and math.isnan(top[0]):
        return
    if before[0] != top[0] or before[1] != top[1] or before[2] != top[2] or before[3] != top[3]:
        prevailing.remember(extended.prevailing, venue_ns, top)
        microstructure.on_top(extended.microstructure, market.event_time_ns, before, top)
