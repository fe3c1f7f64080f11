"""The full row of features: the light row's columns first, then those of each family.

The order is `families` of `dataflows.indicators.schemas`. The cross-asset columns are left NaN: what other instruments
did is not known here.
"""

import math

from dataflows.actors import market_features
from dataflows.actors.extended_kernels import observe_levels, observe_time, observe_top
from dataflows.actors.market_rows_kernels import close_group
from dataflows.actors.market_rows_state import LEVELS, NO_GROUP
from dataflows.indicators import session
from dataflows.indicators.light import LIGHT
from dataflows.indicators.microstructure import observer as microstructure
from dataflows.indicators.microstructure.best_prices import mid_price
from dataflows.indicators.statistical import FEATURES as STATISTICAL_FEATURES
from dataflows.indicators.statistical import state as statistical
from dataflows.indicators.technical import family as technical
from dataflows.indicators.technical.columns import COLUMNS
from dataflows.kernels import Flags, Floats, Record, RecordArray, kernel, part

_LIGHT, _TECHNICAL = len(LIGHT), len(COLUMNS)
_MICROSTRUCTURE, _STATISTICAL = len(microstructure.FEATURES), len(STATISTICAL_FEATURES)
_SESSION = len(session.FEATURES)


@kernel
def on_tick(
    markets: RecordArray, extendeds: RecordArray, lengths: RecordArray, tick_time_ns: int,
    best: Floats, values: Floats, valid: Flags,
) -> bool:
    """Fill the top, the features and their validity as of a tick. Returns whether the book is synced with two sides."""
    synced = fill_row(markets[0], extendeds[0], lengths, tick_time_ns, best, values)
    for column in range(values.size):
        valid[column] = math.isfinite(values[column])
    return synced


@part
def end_group(market: Record, extended: Record) -> None:
    """End the open group of rows of a compiled tape, and observe what it changed."""
    if close_group(market) == LEVELS:
        observe_levels(market, extended)
    observe_top(market, extended, market.rows.exchange_ns)


@part
def fill_row(
    market: Record, extended: Record, lengths: RecordArray, tick_time_ns: int, best: Floats, values: Floats,
) -> bool:
    """Fill the top and the features as of a tick. Returns whether the book is synced with two sides."""
    if market.rows.group != NO_GROUP:
        end_group(market, extended)
    observe_time(extended, lengths, tick_time_ns, False)
    values[:] = math.nan
    synced = market_features.fill_row(market, tick_time_ns, best, values[:_LIGHT])
    if synced:
        _fill_families(market, extended, lengths, tick_time_ns, best, values)
        for column in range(_LIGHT, values.size):
            if not math.isfinite(values[column]):
                values[column] = math.nan
    return synced


@part
def _fill_families(
    market: Record, extended: Record, lengths: RecordArray, tick_time_ns: int, best: Floats, values: Floats,
) -> None:
    mid, start = mid_price(best[0], best[2]), _LIGHT
    for index in range(lengths.size):
        technical.fill(lengths[index].technical, mid, values[start : start + _TECHNICAL])
        start += _TECHNICAL
    book = market.book
    microstructure.fill(
        extended.microstructure, book.bids, book.asks, book.tick_numerator / book.tick_denominator, best,
        tick_time_ns, values[start : start + _MICROSTRUCTURE])
    start += _MICROSTRUCTURE
    statistical.fill(extended.statistical, values[start : start + _STATISTICAL])
    start += _STATISTICAL
    session.fill(tick_time_ns, extended.next_funding_time_ns, values[start : start + _SESSION])
