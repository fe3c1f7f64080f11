"""What a compiled strategy reads of the market: the book and the trades as received. `calls` has it, with the rest."""

import math

from backtest.kernels import kernel, part
from backtest.replay.layout import BAD_ARGUMENT, BUY
from backtest.replay.memory import ask_at, asset_at, bid_at, clock_of, row_at, trade_at
from backtest.replay.money import mid_price as _mid_price
from dataflows.tapes.rows import BUY_EVENT


@part
def is_known(view: int, asset: int) -> bool:
    """Tell whether there is such an instrument; a run ends with an error where there is none."""
    if 0 <= asset < clock_of(view).asset_count:
        return True
    clock_of(view).problem = BAD_ARGUMENT
    return False


# The book


@kernel
def best_bid(view: int, asset: int) -> int:
    """Return the best bid in ticks, 0 where there is none."""
    return int(asset_at(view, asset).best_bid) if is_known(view, asset) else 0


@kernel
def best_ask(view: int, asset: int) -> int:
    """Return the best ask in ticks, 0 where there is none."""
    return int(asset_at(view, asset).best_ask) if is_known(view, asset) else 0


@kernel
def mid_price(view: int, asset: int) -> float:
    """Return the middle of the book as a price, NaN where a side is empty."""
    return _mid_price(asset_at(view, asset)) if is_known(view, asset) else math.nan


@kernel
def lots_at(view: int, asset: int, side: int, price_ticks: int) -> int:
    """Return the displayed lots of a price."""
    if not is_known(view, asset):
        return 0
    of = asset_at(view, asset)
    if side == BUY:
        inside = of.bid_low <= price_ticks <= of.best_bid
        return int(bid_at(view, of.depth_offset + price_ticks).number) if inside else 0
    inside = 0 < of.best_ask <= price_ticks <= of.ask_high
    return int(ask_at(view, of.depth_offset + price_ticks).number) if inside else 0


@kernel
def next_level(view: int, asset: int, side: int, price_ticks: int) -> int:
    """Return the next displayed price behind one, 0 where there is none; behind 0 is the best."""
    if not is_known(view, asset):
        return 0
    of = asset_at(view, asset)
    best, end, step = (of.best_bid, of.bid_low, -1) if side == BUY else (of.best_ask, of.ask_high, 1)
    if best == 0 or price_ticks == 0:
        return int(best)
    ticks = price_ticks + step
    while (ticks - end) * step <= 0:
        if lots_at(view, asset, side, ticks) > 0:
            return ticks
        ticks += step
    return 0


@kernel
def depth_lots(view: int, asset: int, side: int, levels: int) -> int:
    """Return the lots of the best levels of a side."""
    total, ticks = 0, 0
    for _ in range(levels):
        ticks = next_level(view, asset, side, ticks)
        if ticks == 0:
            break
        total += lots_at(view, asset, side, ticks)
    return total


@kernel
def imbalance(view: int, asset: int, levels: int) -> float:
    """Return (bids - asks) / (bids + asks) of the best levels' lots, 0 where both are empty."""
    bids, asks = depth_lots(view, asset, 1, levels), depth_lots(view, asset, -1, levels)
    return (bids - asks) / (bids + asks) if bids + asks > 0 else 0.0


@kernel
def depth_changes(view: int, asset: int) -> int:
    """Return how many rows of the book were received during the last wait."""
    return int(asset_at(view, asset).depth_changes) if is_known(view, asset) else 0


# Trades


@kernel
def trades(view: int, asset: int) -> int:
    """Return how many trades were received during the last wait."""
    return int(asset_at(view, asset).trades) if is_known(view, asset) else 0


@kernel
def trade(view: int, asset: int, number: int) -> tuple[int, int, int, int, int]:
    """Return a trade of the last wait: aggressor's side, price in ticks, lots, exchange ns, local ns; 0s for none."""
    if not 0 <= number < trades(view, asset):
        clock_of(view).problem = BAD_ARGUMENT
        return 0, 0, 0, 0, 0
    of = asset_at(view, asset)
    row = row_at(of, trade_at(view, of.trades_offset + number).number)
    side = 1 if int(row.ev) & BUY_EVENT else -1
    ticks, lots = int(row.px * of.ticks_per_price + 0.5), int(row.qty * of.lots_per_quantity + 0.5)
    return side, ticks, lots, int(row.exch_ts), int(row.local_ts)


@kernel
def last_trade(view: int, asset: int) -> int:
    """Return the price of the last trade received, in ticks; 0 where there was none."""
    return int(asset_at(view, asset).last_trade_ticks) if is_known(view, asset) else 0
