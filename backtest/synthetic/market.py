"""The state of one symbol's simulation and the log that it writes: fixed arrays that kernels can take.

Times are nanoseconds, prices are ticks above the ladder's bottom, quantities are lots. What happens to the state is in
`simulation`.
"""

from typing import NamedTuple

import numpy as np

from backtest.synthetic.draws import Generator, below, generator, normal
from backtest.synthetic.ladder import Ladder, empty_ladder, populate
from backtest.synthetic.parameters import CHUNK_STEPS, MarketParameters, SymbolParameters
from backtest.synthetic.paths import STEP_SECONDS
from dataflows.kernels import Floats, Integers

#: Ticks that quotes may move at once, so that a window's changes stay bounded.
LONGEST_MOVE = 1_500
#: Time between two depth updates, but for some jitter.
FLUSH_NS = 100_000_000


class Constants(NamedTuple):
    """What does not change during a run, in ticks and lots. `drift` is the pressure's, `regimes` one row a regime."""

    bottom: int
    ticks_per_bps: float
    volatility: float
    loading: float
    touch_lots: float
    order_lots: float
    density: float
    extent: int
    drift: float
    fade: float
    regimes: Floats


class Numbers(NamedTuple):
    """State that is no book. `price`, `pressure` and `excitation` are floats, the rest integers; one element each."""

    price: Floats
    pressure: Floats
    excitation: Floats
    now_ns: Integers
    update_id: Integers
    window_first_id: Integers
    window_last_id: Integers
    next_flush_ns: Integers
    trade_id: Integers
    aggregate_id: Integers
    quote: Integers


class Log(NamedTuple):
    """What happened in a chunk, one row an event; `counts` says how many rows of each array are filled.

    quotes: time, update id, bid, lots, ask, lots. trades: time, trade id, aggregate id, price, lots, seller is taker.
    depths: time, first id U, last id u, previous pu, first row in levels, bids, asks. levels: price, lots.
    marks: time in seconds, efficient price, middle of the quotes, pressure.
    """

    quotes: Integers
    trades: Integers
    depths: Integers
    levels: Integers
    marks: Floats
    counts: Integers


QUOTES, TRADES, DEPTHS, LEVELS, MARKS = range(5)


def empty_log() -> Log:
    """Return a log with room for the most that a chunk can bring; all symbols may share one, one after the other."""
    rows = CHUNK_STEPS
    return Log(
        np.zeros((rows * 12, 6), np.int64),
        np.zeros((rows * 48, 6), np.int64),
        np.zeros((rows, 7), np.int64),
        np.zeros((rows * 3 * LONGEST_MOVE, 2), np.int64),
        np.zeros((rows, 4)),
        np.zeros(5, np.int64),
    )


class SymbolMarket(NamedTuple):
    """One symbol's whole state, handed to the kernels."""

    ladder: Ladder
    numbers: Numbers
    constants: Constants
    generator: Generator


def open_market(symbol: SymbolParameters, market: MarketParameters) -> SymbolMarket:
    """Return the state of a symbol at the start, its book filled."""
    state = generator(market.seed, symbol.symbol)
    bottom = int(symbol.start_ticks * 0.6)
    density = min(0.9, max(0.15, 3.0 / symbol.ticks_per_bps))
    constants = Constants(
        bottom=bottom,
        ticks_per_bps=symbol.ticks_per_bps,
        volatility=symbol.profile.volatility,
        loading=symbol.profile.loading,
        touch_lots=symbol.lots(symbol.profile.touch_notional),
        order_lots=symbol.lots(symbol.profile.order_notional),
        density=density,
        extent=min(int(1_300 / density), symbol.start_ticks // 8),
        drift=market.pressure_drift,
        fade=STEP_SECONDS / market.pressure_seconds,
        regimes=np.array([tuple(regime) for regime in market.regimes], np.float64),
    )
    ladder = empty_ladder(int(symbol.start_ticks * 0.8))
    first = symbol.start_ticks - bottom
    populate(ladder, state, first, constants.touch_lots, density, constants.extent)
    return SymbolMarket(ladder, _first_numbers(first, market.start_ns, state), constants, state)


def _first_numbers(first: int, start_ns: int, state: Generator) -> Numbers:
    def one(value: int) -> Integers:
        return np.array([value], np.int64)

    first_id = 5_000_000_000_000 + below(state, 1_000_000_000)
    return Numbers(
        price=np.array([first + 0.5]),
        pressure=np.array([normal(state)]),
        excitation=np.zeros(1),
        now_ns=one(start_ns),
        update_id=one(first_id),
        window_first_id=one(0),
        window_last_id=one(first_id),
        next_flush_ns=one(start_ns + FLUSH_NS // 2),
        trade_id=one(4_000_000_000 + below(state, 1_000_000_000)),
        aggregate_id=one(2_000_000_000 + below(state, 500_000_000)),
        quote=np.zeros(4, np.int64),
    )
