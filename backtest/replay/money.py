"""Positions, profit and fees in float64, for one fill at a time; quantities and prices come in exactly, as integers.

    linear    value = quantity * contract_size * price            PnL = size * (exit - entry), arithmetic entry
    inverse   value = contracts * contract_size / price           PnL = size * (1/entry - 1/exit), harmonic entry

The formulas are those of `sluice.positions`, which is exact; a test holds the two together. Fees are rounded to 8
decimals as there. Margin and liquidation are not here.
"""

import math

import numpy as np

from backtest.kernels import part
from backtest.replay.memory import asset_at, position_at
from dataflows.kernels import Record

_SMALLEST = 1e-8


@part
def value_of(of: Record, lots: float, price: float) -> float:
    """Return the value of lots at a price in the settlement asset: quote where linear, coin where inverse."""
    size = lots * of.lot_size * of.contract_size
    return float(size / price if of.inverse else size * price)


@part
def profit(of: Record, signed_lots: float, entry_price: float, exit_price: float) -> float:
    """Return the profit of lots (negative where short) between two prices, in the settlement asset."""
    size = signed_lots * of.lot_size * of.contract_size
    if of.inverse:
        return float(size * (1.0 / entry_price - 1.0 / exit_price))
    return float(size * (exit_price - entry_price))


@part
def trade_fee(of: Record, lots: int, price: float, maker: int) -> float:
    """Return the fee of a trade, positive where paid, to 8 decimals."""
    rate = of.maker_fee if maker else of.taker_fee
    return float(np.rint(value_of(of, lots, price) * rate / _SMALLEST) * _SMALLEST)


@part
def fill_position(of: Record, position: Record, signed_lots: int, price: float) -> float:
    """Change a position by a fill (negative where sold) and return what that realised."""
    before, entry = int(position.lots), float(position.entry_price)
    after = before + signed_lots
    realised = 0.0
    if before * signed_lots < 0:
        closed = min(abs(before), abs(signed_lots))
        realised = profit(of, closed if before > 0 else -closed, entry, price)
    position.lots = after
    if after == 0:
        position.entry_price = 0.0
    elif before * after <= 0:
        position.entry_price = price
    elif abs(after) > abs(before):
        position.entry_price = _average(of, before, entry, signed_lots, price)
    return realised


@part
def _average(of: Record, lots: int, price: float, more: int, at_price: float) -> float:
    if of.inverse:
        return float((lots + more) / (lots / price + more / at_price))
    return float((lots * price + more * at_price) / (lots + more))


@part
def mid_price(of: Record) -> float:
    """Return the middle of the book as the strategy knows it, NaN where a side is empty."""
    if of.best_bid == 0 or of.best_ask == 0:
        return math.nan
    return float(0.5 * (of.best_bid + of.best_ask) * of.tick_size)


@part
def unrealised(view: int, asset: int) -> float:
    """Return the profit of closing every position at the middle of the book; 0 where there is no middle."""
    of, total = asset_at(view, asset), 0.0
    price = mid_price(of)
    for at in range(3):
        position = position_at(view, asset, at)
        if position.lots != 0 and not math.isnan(price):
            total += profit(of, position.lots, position.entry_price, price)
    return total


@part
def equity_of(view: int, asset: int) -> float:
    """Return what an instrument has earned: realised and unrealised profit and funding, less fees."""
    of = asset_at(view, asset)
    return float(of.realised + unrealised(view, asset) + of.funding - of.fees)
