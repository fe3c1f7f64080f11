"""What an order can take at once: the levels of the other side, best first, as far as its limit.

Optional impact makes what a taker pays worse than the levels that are displayed. With Q the lots that the order has
taken so far and V `impact_lots`, a fill is `impact_ticks * (Q / V)` (LINEAR; A. Kyle, "Continuous auctions and insider
trading", Econometrica 1985) or `impact_ticks * sqrt(Q / V)` (SQUARE_ROOT; B. Toth et al., "Anomalous price impact and
the critical nature of liquidity", Phys. Rev. X 2011, where impact_ticks is Y * daily volatility and V the daily volume)
worse, to the nearest tick, and never beyond the order's limit.
"""

import math

from backtest.kernels import part
from backtest.matching.cells import next_key
from backtest.matching.entry_points import ENTRIES
from backtest.matching.filling import fill
from backtest.matching.ladder import available_at, take
from backtest.matching.memory import core_of, half_of, order_at
from backtest.matching.state import NO_KEY, ImpactModel
from backtest.matching.values import capacity
from dataflows.kernels import Record
from sluice.orders import OrderType

_MARKET = OrderType.MARKET.value
_NO_IMPACT, _LINEAR = int(ImpactModel.NONE), int(ImpactModel.LINEAR)


@part
def limit_key(core: Record, order: Record) -> int:
    """Return the worst key of the other side that an order takes: its price, or the bound of a market order."""
    if order.type != _MARKET:
        return int(-order.side * order.price_ticks)
    return int(-core.highest_buy_ticks) if order.side > 0 else int(core.lowest_sell_ticks)


@part
def crosses(state: int, order: Record) -> bool:
    """Tell whether the best displayed level of the other side is within an order's limit."""
    best = half_of(state, -order.side).best_key
    return bool(best != NO_KEY and best >= limit_key(core_of(state), order))


@ENTRIES.entry
def takeable(state: int, slot: int) -> int:
    """Return how many lots, up to its own, an order can take at once."""
    order, core = order_at(state, slot), core_of(state)
    wanted = capacity(core, order)
    if not core.partial_fills:
        return wanted if crosses(state, order) else 0
    found, other, limit = 0, -order.side, limit_key(core, order)
    half = half_of(state, other)
    key = half.best_key
    while key != NO_KEY and key >= limit and found < wanted:
        found += available_at(state, other, other * key)
        key = next_key(half, key)
    return min(found, wanted)


@ENTRIES.entry
def take_levels(state: int, slot: int, now_ns: int) -> None:
    """Fill an arriving order with what it can take at once."""
    order, core = order_at(state, slot), core_of(state)
    wanted = capacity(core, order)
    if not core.partial_fills:
        if wanted > 0 and crosses(state, order):
            price = -order.side * half_of(state, -order.side).best_key
            fill(state, slot, _with_impact(core, order, price, wanted), wanted, 0, now_ns)
        return
    other, limit = -order.side, limit_key(core, order)
    half = half_of(state, other)
    key = half.best_key
    taken = 0
    while key != NO_KEY and key >= limit and wanted > 0:
        price = other * key
        lots = min(wanted, available_at(state, other, price))
        if lots > 0:
            take(state, other, price, lots)
            taken += lots
            wanted -= lots
            fill(state, slot, _with_impact(core, order, price, taken), lots, 0, now_ns)
        key = next_key(half, key)


@part
def _with_impact(core: Record, order: Record, price_ticks: int, taken: int) -> int:
    if core.impact_model == _NO_IMPACT:
        return price_ticks
    share = taken / core.impact_lots
    worse = core.impact_ticks * (share if core.impact_model == _LINEAR else math.sqrt(share))
    key = -order.side * price_ticks - int(math.floor(worse + 0.5))  # noqa: RUF046  # a float in a kernel
    return int(-order.side * max(key, limit_key(core, order)))
