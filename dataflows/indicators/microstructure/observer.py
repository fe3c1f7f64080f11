"""The family for an actor: one record that observes an instrument's events, and the row that it fills at a tick.

A zeroed record has seen nothing. Whoever owns it calls `on_second` for each whole second that event time enters, before
any event of it, and `restart` instead where event time jumps over `SECOND_CAPACITY` seconds or more. Events then go
into the current second. Best prices ("top") are arrays of four: best bid, its quantity, best ask, its quantity, NaN
where unknown.
"""

import numpy as np

from dataflows.indicators.microstructure import (
    depth,
    derivatives,
    liquidity,
    order_flow,
    seconds,
    spreads,
    trades,
    volume_buckets,
)
from dataflows.indicators.registry import Feature
from dataflows.kernels import Floats, Record, part

MICROSTRUCTURE = np.dtype(
    [
        ("volume_buckets", volume_buckets.VOLUME_BUCKETS),
        ("derivatives", derivatives.DERIVATIVES),
        ("seconds", seconds.SECONDS),
    ],
    align=True,
)

#: In the order in which `fill` writes.
FEATURES: tuple[Feature, ...] = (
    *depth.FEATURES, *order_flow.FEATURES, *trades.FEATURES, *spreads.FEATURES, *liquidity.FEATURES,
    *volume_buckets.FEATURES, *derivatives.FEATURES,
)
#: Where the first value is that is not made of the book's levels but of events.
EVENTS_BEGIN = len(depth.FEATURES)
_FLOW = EVENTS_BEGIN + len(order_flow.FEATURES)
_TRADES = _FLOW + len(trades.FEATURES)
_SPREADS = _TRADES + len(spreads.FEATURES)
_LIQUIDITY = _SPREADS + len(liquidity.FEATURES)
_BUCKETS = _LIQUIDITY + len(volume_buckets.FEATURES)


@part
def restart(state: Record) -> None:
    """Forget everything."""
    volume_buckets.restart(state.volume_buckets)
    derivatives.restart(state.derivatives)
    seconds.restart(state.seconds)


@part
def on_second(state: Record, second: int, top: Floats) -> None:
    """Enter a second, counted since the Unix epoch; `top` is as before any event of it."""
    seconds.enter(state.seconds, second, top)
    volume_buckets.on_second(state.volume_buckets, state.seconds)
    derivatives.on_second(state.derivatives, second)


@part
def on_top(state: Record, time_ns: int, before: Floats, after: Floats) -> None:  # noqa: ARG001  # as every observer's
    """Take in a change of the best prices or their quantities."""
    order_flow.on_top(state.seconds, before, after)


@part
def on_levels(state: Record, time_ns: int, changed: int, removed: int) -> None:  # noqa: ARG001  # as every observer's
    """Take in an update of the book: how many levels it set to a quantity, and how many it removed."""
    trades.on_levels(state.seconds, changed, removed)


@part
def on_trade(
    state: Record, time_ns: int, price: float, quantity: float, sign: float, top: Floats,  # noqa: ARG001  # see on_top
) -> None:
    """Take in a trade; `sign` is 1 where the taker bought, else -1, `top` what it was before the trade."""
    spreads.on_trade(state.seconds, price, quantity, sign, top)
    trades.on_trade(state.seconds, price, quantity, sign)
    volume_buckets.on_trade(state.volume_buckets, quantity, sign)


@part
def on_mark(
    state: Record, time_ns: int, mark_price: float, index_price: float, funding_rate: float, next_funding_time_ns: int,
) -> None:
    """Take in mark price, index price and funding; NaN, and 0 for the time, where the frame does not say."""
    derivatives.on_mark(state.derivatives, time_ns, mark_price, index_price, funding_rate, next_funding_time_ns)


@part
def on_open_interest(state: Record, time_ns: int, open_interest: float) -> None:
    """Take in the open interest."""
    derivatives.on_open_interest(state.derivatives, time_ns, open_interest)


@part
def on_liquidation(
    state: Record, time_ns: int, price: float, quantity: float, sign: float,  # noqa: ARG001  # see on_top
) -> None:
    """Take in a forced order; `sign` is 1 where it bought (a short was liquidated), else -1."""
    derivatives.on_liquidation(state.derivatives, state.seconds, quantity, sign)


@part
def fill(
    state: Record, book_bids: Record, book_asks: Record, tick_size: float,  # noqa: ARG001  # all is relative to prices
    top: Floats, tick_time_ns: int, values: Floats,
) -> None:
    """Fill the values of `FEATURES` as of a tick from what was seen and the sides of the book; NaN is not valid."""
    depth.fill(book_bids, book_asks, values[:EVENTS_BEGIN])
    fill_events(state, top, tick_time_ns, values[EVENTS_BEGIN:])


@part
def fill_events(state: Record, top: Floats, tick_time_ns: int, values: Floats) -> None:
    """Fill what is made of events, which are the values from `EVENTS_BEGIN` on."""
    start = EVENTS_BEGIN
    order_flow.fill(state.seconds, values[: _FLOW - start])
    trades.fill(state.seconds, values[_FLOW - start : _TRADES - start])
    spreads.fill(state.seconds, values[_TRADES - start : _SPREADS - start])
    liquidity.fill(state.seconds, top, values[_SPREADS - start : _LIQUIDITY - start])
    volume_buckets.fill(state.volume_buckets, values[_LIQUIDITY - start : _BUCKETS - start])
    derivatives.fill(state.derivatives, state.seconds, top, tick_time_ns, values[_BUCKETS - start :])
