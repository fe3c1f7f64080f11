"""Letting time pass: both sides of every instrument go on to the next moment that the strategy waits for.

The exchange's side runs first, then the strategy's side receives. The exchange is never ahead of the moment at which
the strategy acts next, so what the strategy sends arrives at an exchange that has not gone past it.
"""

from backtest.kernels import part
from backtest.replay.entry_points import ENTRIES
from backtest.replay.exchange_side import run_exchange
from backtest.replay.layout import (
    ENDED,
    FEED,
    FEED_ANY,
    FEED_DEPTH,
    FEED_TRADES,
    NEVER,
    RESPONSE,
    TIMED_OUT,
)
from backtest.replay.memory import asset_at, clock_of, point_at, position_at, row_at
from backtest.replay.messages import next_exchange_time, request_time, response_time
from backtest.replay.money import equity_of, mid_price
from backtest.replay.strategy_side import run_strategy_side
from dataflows.kernels import Record
from dataflows.tapes.rows import DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, LOCAL_EVENT, TRADE_EVENT

_SEEN = -2


@ENTRIES.entry
def wait(view: int, until_ns: int, feed: int, awaited: int) -> int:
    """Let time pass until a moment, or until an earlier row of the `feed` or answer that is `awaited`; say which.

    `feed` is 0, or `FEED_DEPTH`, `FEED_TRADES` or both; `awaited` is 0, -1 for any answer, or the id of an order.
    """
    clock = clock_of(view)
    _begin(view)
    if clock.ended or clock.problem:
        return ENDED
    clock.awaited = awaited
    end_ns = max(min(until_ns, clock.last_ns), clock.now_ns)
    fed_ns = _feed_time(view, feed) if feed else NEVER
    target_ns = min(end_ns, fed_ns)
    woken = _go_on(view, target_ns, awaited != 0)
    if not woken and target_ns == end_ns and until_ns > end_ns:
        woken = finish(view, until_ns, awaited != 0) != 0
    if clock.problem or _over(view):
        clock.ended = 1
        return ENDED
    if clock.now_ns == fed_ns:
        return FEED
    return RESPONSE if woken else TIMED_OUT


@part
def _begin(view: int) -> None:
    clock_of(view).updates = 0
    for asset in range(clock_of(view).asset_count):
        asset_at(view, asset).trades = 0
        asset_at(view, asset).depth_changes = 0


@part
def _go_on(view: int, until_ns: int, yields: bool) -> bool:
    """Run both sides up to a moment, or to the answer that is awaited; tell whether it came."""
    while True:
        reached_ns = _run_exchanges(view, until_ns, yields)
        _receive(view, reached_ns)
        clock_of(view).now_ns = reached_ns
        if yields and _answered(clock_of(view)):
            return True
        if reached_ns >= until_ns or clock_of(view).problem:
            return False


@part
def _answered(clock: Record) -> bool:
    return bool(clock.awaited == _SEEN or (clock.awaited == -1 and clock.updates > 0))


@part
def _run_exchanges(view: int, until_ns: int, yields: bool) -> int:
    if not yields:
        for asset in range(clock_of(view).asset_count):
            run_exchange(view, asset, until_ns, False)
        return until_ns
    if clock_of(view).asset_count == 1:
        return run_exchange(view, 0, until_ns, True)
    return run_together(view, until_ns)


@ENTRIES.entry
def run_together(view: int, until_ns: int) -> int:
    """Run exchanges in the order of their times, so that an answer of one stops all of them."""
    while clock_of(view).problem == 0:
        first, first_ns, second_ns = -1, NEVER, NEVER
        for asset in range(clock_of(view).asset_count):
            until_ns = min(until_ns, response_time(view, asset))
            time_ns = next_exchange_time(view, asset)
            if time_ns < first_ns:
                first, first_ns, second_ns = asset, time_ns, first_ns
            else:
                second_ns = min(second_ns, time_ns)
        if first_ns > until_ns:
            break
        run_exchange(view, first, min(until_ns, second_ns), True)
    return until_ns


@part
def _receive(view: int, until_ns: int) -> None:
    clock = clock_of(view)
    while clock.next_record_ns <= until_ns:
        for asset in range(clock_of(view).asset_count):
            run_strategy_side(view, asset, clock.next_record_ns)
        record_point(view, clock.next_record_ns)
        clock.next_record_ns += clock.record_interval_ns
    for asset in range(clock_of(view).asset_count):
        run_strategy_side(view, asset, until_ns)


@ENTRIES.entry
def record_point(view: int, time_ns: int) -> None:
    """Record every instrument's position and equity; nothing where there is no room for it."""
    clock = clock_of(view)
    if clock.curve >= clock.curve_capacity:
        return
    for asset in range(clock_of(view).asset_count):
        point, of = point_at(view, clock.curve, asset), asset_at(view, asset)
        point.time_ns = time_ns
        point.asset = asset
        point.position_lots = 0
        for at in range(3):
            point.position_lots += position_at(view, asset, at).lots
        point.mid_price = mid_price(of)
        point.realised = of.realised
        point.fees = of.fees
        point.funding = of.funding
        point.equity = equity_of(view, asset)
    clock.curve += 1


@part
def _feed_time(view: int, feed: int) -> int:
    found = NEVER
    for asset in range(clock_of(view).asset_count):
        found = min(found, _next_fed(asset_at(view, asset), feed))
    return found


@part
def _next_fed(of: Record, feed: int) -> int:
    """Return when the next row that is waited for is received."""
    at = max(of.local_at, of.scan_at) if of.scan_mask == feed else of.local_at
    while at < of.rows:
        flags = int(row_at(of, at).ev)
        if flags & LOCAL_EVENT and (feed == FEED_ANY or _feed_of(flags & 0xFF) & feed):
            break
        at += 1
    of.scan_at = at
    of.scan_mask = feed
    return int(row_at(of, at).local_ts) if at < of.rows else NEVER


@part
def _feed_of(kind: int) -> int:
    if kind == TRADE_EVENT:
        return FEED_TRADES
    depth = kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_CLEAR_EVENT)
    return FEED_DEPTH if depth else 0


@ENTRIES.entry
def finish(view: int, until_ns: int, yields: int) -> bool:
    """Deliver what was on its way when the rows ended."""
    while True:
        time_ns = _next_message(view)
        if time_ns > until_ns or time_ns == NEVER or clock_of(view).problem:
            return False
        if _go_on(view, time_ns, yields != 0):
            return True


@part
def _next_message(view: int) -> int:
    found = NEVER
    for asset in range(clock_of(view).asset_count):
        found = min(found, request_time(view, asset), response_time(view, asset))
    return found


@part
def _over(view: int) -> bool:
    for asset in range(clock_of(view).asset_count):
        of = asset_at(view, asset)
        if of.local_at < of.rows or of.exchange_at < of.rows:
            return False
    return _next_message(view) == NEVER
