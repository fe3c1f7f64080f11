"""The quality gates asked about a frame before it is applied, in the words of the gates."""

from dataflows.actors.market_kinds import OFF_TICK_UPDATE, OTHER_TRADE
from dataflows.codecs.quick_frame import AGGREGATE_TRADE, BOOK_TICKER, DEPTH_UPDATE, MARK_PRICE, TRADE
from dataflows.kernels import Record, part
from dataflows.quality import judge
from dataflows.quality.state import SET_ASIDE

#: What a frame became that a gate sets aside: this and the number of the reason.
SET_ASIDE_RESULT = 1_000
_MILLISECOND_NS = 1_000_000
_LATEST_MS = 9_000_000_000_000
_HIGHEST_BIT = 63


@part
def judge_frame(quality: Record, time_ns: int, frame: Record, best_bid: float, best_ask: float) -> int:
    """Judge a frame; the best prices are those before it, NaN where unknown.

    Returns 0 where it is to be applied, else `SET_ASIDE_RESULT` and the first reason why not. What a gate only flags is
    counted in its record.
    """
    kind = frame.kind
    event_ns, transaction_ns = nanoseconds(frame.event_time_ms), nanoseconds(frame.transaction_time_ms)
    found = 0
    if kind == BOOK_TICKER:
        found = judge.judge_ticker(
            quality, time_ns, event_ns, transaction_ns, frame.last_update_id, frame.best_bid, frame.best_ask)
    elif kind in (TRADE, AGGREGATE_TRADE):
        found = judge.judge_trade(
            quality, kind == AGGREGATE_TRADE, time_ns, event_ns, transaction_ns, frame.trade_id,
            frame.price, frame.quantity, 0.5 * (best_bid + best_ask))
    elif kind == OTHER_TRADE:
        found = judge.judge_other_trade(
            quality, time_ns, event_ns, transaction_ns, frame.trade_id, frame.quantity)
    elif kind in (DEPTH_UPDATE, OFF_TICK_UPDATE):
        found = judge.judge_depth(quality, time_ns, event_ns, transaction_ns)
    elif kind == MARK_PRICE:
        found = judge.judge_mark(quality, time_ns, event_ns)
    if found & SET_ASIDE == 0:
        return 0
    return SET_ASIDE_RESULT + _first(found & SET_ASIDE)


@part
def nanoseconds(milliseconds: int) -> int:
    """Return a time of the venue in nanoseconds, the latest that there can be where it is beyond that."""
    return min(milliseconds, _LATEST_MS) * _MILLISECOND_NS


@part
def _first(bits: int) -> int:
    for bit in range(_HIGHEST_BIT):
        if bits >> bit & 1:
            return bit
    return _HIGHEST_BIT
