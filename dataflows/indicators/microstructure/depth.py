"""What the levels of a book say at one moment: imbalances, quantities near the price, slope and pressure.

Distances are from the book's own mid price. A book that has fewer levels than a feature is named after is read as far
as it goes. Beyond the levels of the snapshot that a book began with, it knows those that have changed since: this is
what a wide band sees too little of in the first minutes. Read from the best level outwards, in ticks.
"""

import math

import numpy as np

from dataflows.book.reading import best_levels, quantity_within
from dataflows.indicators.microstructure.best_prices import imbalance
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import Floats, Integers, Record, part

_LEVELS = 50
_IMBALANCES = (10, 50)
_WEIGHTED_LEVELS = 20
_SLOPE_LEVELS = 20
_PRESSURE_LEVELS = 10
_BANDS_BPS = (5, 10, 25)
#: A level that lies at the edge of a band but for rounding is in it.
_EDGE_TICKS = 1e-6

_BOOK = WarmUp(1, Clock.UPDATES)
_IMBALANCE_SOURCE = "Cartea, Jaimungal and Penalva, Algorithmic and High-Frequency Trading, 2015, chapter 12"
_BAND_SOURCE = "Degryse, de Jong and van Kervel, Review of Finance 19, 2015 (depth near the mid price)"
_SLOPE_SOURCE = (
    "Naes and Skjeltorp, Journal of Financial Markets 9, 2006; without logarithms as Kalay, Sade and Wohl, Journal of "
    "Financial Economics 74, 2004")


def _imbalance(levels: int) -> Feature:
    return Feature(
        f"imbalance_{levels}", f"(bid - ask) / (bid + ask) of the quantity of the best {levels} levels",
        _IMBALANCE_SOURCE, "book", _BOOK, "ratio", -1.0, 1.0)


def _band(band_bps: int) -> tuple[Feature, ...]:
    near = f"within {band_bps} bps of the mid price"
    return (
        Feature(f"bid_depth_{band_bps}bps", f"quantity of the bids {near}", _BAND_SOURCE, "book", _BOOK, "base units",
                0.0),
        Feature(f"ask_depth_{band_bps}bps", f"quantity of the asks {near}", _BAND_SOURCE, "book", _BOOK, "base units",
                0.0),
        Feature(f"depth_imbalance_{band_bps}bps", f"(bid - ask) / (bid + ask) of the quantity {near}; 0 without any",
                _BAND_SOURCE, "book", _BOOK, "ratio", -1.0, 1.0),
    )


def _slope(side: str) -> Feature:
    return Feature(
        f"{side}_slope_{_SLOPE_LEVELS}",
        f"mean over the best {_SLOPE_LEVELS} levels of the relative growth of the cumulative {side} quantity from one "
        "level to the next over the distance between them in bps of the nearer; quantities, not their logarithms as in "
        "the source, which are negative below one unit, and without its first term, which would have a unit",
        _SLOPE_SOURCE, "book", _BOOK, "1/bps", 0.0)


#: In the order in which `fill` writes.
FEATURES = (
    *map(_imbalance, _IMBALANCES),
    Feature(f"weighted_imbalance_{_WEIGHTED_LEVELS}",
            f"(bid - ask) / (bid + ask) of the quantities of the best {_WEIGHTED_LEVELS} levels, each divided by its "
            "distance from the mid price",
            _IMBALANCE_SOURCE, "book", _BOOK, "ratio", -1.0, 1.0),
    *(feature for band_bps in _BANDS_BPS for feature in _band(band_bps)),
    _slope("bid"),
    _slope("ask"),
    Feature(f"book_pressure_{_PRESSURE_LEVELS}_bps",
            f"mean price of the best {_PRESSURE_LEVELS} levels of both sides, each weighted with its quantity, less "
            "the mid price, over the mid price: positive where more or farther quantity is offered than bid",
            "Cao, Hansch and Wang, Journal of Futures Markets 29, 2009 (WP 1 to 10)", "book", _BOOK, "bps"),
)
_WEIGHTED = len(_IMBALANCES)
_BANDS = _WEIGHTED + 1
_SLOPES = _BANDS + 3 * len(_BANDS_BPS)
_PRESSURE = _SLOPES + 2


@part
def fill(bids: Record, asks: Record, values: Floats) -> None:
    """Fill the values of `FEATURES` from the sides of a book, NaN where one is empty or not known as far."""
    values[:] = math.nan
    bid_keys, ask_keys = np.empty(_LEVELS, np.int64), np.empty(_LEVELS, np.int64)
    bid_quantities, ask_quantities = np.empty(_LEVELS), np.empty(_LEVELS)
    bid_count = best_levels(bids, bid_keys, bid_quantities)
    ask_count = best_levels(asks, ask_keys, ask_quantities)
    if bid_count == 0 or ask_count == 0:
        return
    mid = 0.5 * (bid_keys[0] - ask_keys[0])
    fill_levels(
        bid_keys[:bid_count], bid_quantities[:bid_count], ask_keys[:ask_count], ask_quantities[:ask_count], mid, values)
    for index, band_bps in enumerate(_BANDS_BPS):
        bid = quantity_within(bids, math.ceil(mid * (1.0 - band_bps / BASIS_POINTS) - _EDGE_TICKS))
        ask = quantity_within(asks, math.ceil(-mid * (1.0 + band_bps / BASIS_POINTS) - _EDGE_TICKS))
        values[_BANDS + 3 * index] = bid
        values[_BANDS + 3 * index + 1] = ask
        values[_BANDS + 3 * index + 2] = imbalance(bid, ask) if math.isfinite(bid + ask) else math.nan


@part
def fill_levels(
    bid_keys: Integers, bid_quantities: Floats, ask_keys: Integers, ask_quantities: Floats, mid: float, values: Floats,
) -> None:
    """Fill what needs no more than the best levels, which are best first; `mid` is in ticks."""
    for index, levels in enumerate(_IMBALANCES):
        values[index] = imbalance(_total(bid_quantities[:levels]), _total(ask_quantities[:levels]))
    values[_WEIGHTED] = imbalance(
        _near(bid_keys[:_WEIGHTED_LEVELS], bid_quantities, mid),
        _near(ask_keys[:_WEIGHTED_LEVELS], ask_quantities, -mid))
    values[_SLOPES] = _slope_of(bid_keys[:_SLOPE_LEVELS], bid_quantities)
    values[_SLOPES + 1] = _slope_of(ask_keys[:_SLOPE_LEVELS], ask_quantities)
    below, above = bid_keys[:_PRESSURE_LEVELS], ask_keys[:_PRESSURE_LEVELS]
    pull = _far(above, ask_quantities, -mid) - _far(below, bid_quantities, mid)
    total = _total(bid_quantities[: below.size]) + _total(ask_quantities[: above.size])
    values[_PRESSURE] = BASIS_POINTS * pull / total / mid


@part
def _total(quantities: Floats) -> float:
    total = 0.0
    for quantity in quantities:
        total += quantity
    return total


@part
def _near(keys: Integers, quantities: Floats, mid_key: float) -> float:
    """Return the sum of the quantities over their distances."""
    total = 0.0
    for index in range(keys.size):
        total += quantities[index] / (mid_key - keys[index])
    return total


@part
def _far(keys: Integers, quantities: Floats, mid_key: float) -> float:
    """Return the sum of the quantities times their distances."""
    total = 0.0
    for index in range(keys.size):
        total += quantities[index] * (mid_key - keys[index])
    return total


@part
def _slope_of(keys: Integers, quantities: Floats) -> float:
    """Return the mean growth of the cumulative quantity per bps; NaN below two levels."""
    if keys.size < 2:
        return math.nan
    total, cumulative = 0.0, quantities[0]
    for index in range(1, keys.size):
        distance_bps = BASIS_POINTS * (keys[index - 1] - keys[index]) / abs(keys[index - 1])
        total += quantities[index] / cumulative / distance_bps
        cumulative += quantities[index]
    return total / (keys.size - 1)
