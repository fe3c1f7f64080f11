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
from dataflows.kernels import Floats, Integers, RecordArray

#: Ticks that quotes and the ends of the book may move at once, so that a window's changes stay bounded.
LONGEST_MOVE = 1_500
#: Levels that a side has at least, on average. With the book's slack it stays below the 1,000 of a full snapshot, so
#: that whoever loads one knows the whole book.
SIDE_LEVELS = 600
#: Time between two depth updates, but for some jitter.
FLUSH_NS = 100_000_000


#: What does not change during a run, in ticks and lots; `drift` is that of the hidden pressure.
CONSTANTS = np.dtype(
    [
        ("bottom", "i8"),
        ("ticks_per_bps", "f8"),
        ("volatility", "f8"),
        ("loading", "f8"),
        ("touch_lots", "f8"),
        ("order_lots", "f8"),
        ("density", "f8"),
        ("extent", "i8"),
        ("drift", "f8"),
        ("fade", "f8"),
    ]
)
#: State that is no book: the efficient price, the symbol's own pressure, the clock, ids, and the last quote told.
NUMBERS = np.dtype(
    [
        ("price", "f8"),
        ("pressure", "f8"),
        ("excitation", "f8"),
        ("now_ns", "i8"),
        ("update_id", "i8"),
        ("window_first_id", "i8"),
        ("window_last_id", "i8"),
        ("next_flush_ns", "i8"),
        ("trade_id", "i8"),
        ("aggregate_id", "i8"),
        ("bid", "i8"),
        ("bid_lots", "i8"),
        ("ask", "i8"),
        ("ask_lots", "i8"),
    ]
)


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
    """One symbol's whole state, handed to the kernels: `numbers` and `constants` are arrays of one record.

    `regimes` has one row a regime, its columns are the fields of `parameters.Regime`.
    """

    ladder: Ladder
    numbers: RecordArray
    constants: RecordArray
    regimes: Floats
    generator: Generator


def open_market(symbol: SymbolParameters, market: MarketParameters) -> SymbolMarket:
    """Return the state of a symbol at the start, its book filled."""
    state = generator(market.seed, symbol.symbol)
    constants = _constants(symbol, market)
    ladder = empty_ladder(int(symbol.start_ticks * 0.8))
    fixed = constants[0]
    first = symbol.start_ticks - int(fixed["bottom"])
    populate(ladder, state, first, fixed["touch_lots"], fixed["density"], fixed["extent"])
    regimes = np.array([tuple(regime) for regime in market.regimes], np.float64)
    return SymbolMarket(ladder, _first_numbers(first, market.start_ns, state), constants, regimes, state)


def _constants(symbol: SymbolParameters, market: MarketParameters) -> RecordArray:
    made = np.zeros(1, CONSTANTS)
    density = min(0.9, max(0.15, 3.0 / symbol.ticks_per_bps))
    made["bottom"] = int(symbol.start_ticks * 0.6)
    made["ticks_per_bps"] = symbol.ticks_per_bps
    made["volatility"] = symbol.profile.volatility
    made["loading"] = symbol.profile.loading
    made["touch_lots"] = symbol.lots(symbol.profile.touch_notional)
    made["order_lots"] = symbol.lots(symbol.profile.order_notional)
    made["density"] = density
    made["extent"] = min(int(SIDE_LEVELS / density), symbol.start_ticks // 8)
    made["drift"] = market.pressure_drift
    made["fade"] = STEP_SECONDS / market.pressure_seconds
    return made


def _first_numbers(first: int, start_ns: int, state: Generator) -> RecordArray:
    made = np.zeros(1, NUMBERS)
    made["price"] = first + 0.5
    made["now_ns"] = start_ns
    made["update_id"] = made["window_last_id"] = 5_000_000_000_000 + below(state, 1_000_000_000)
    made["pressure"] = normal(state)
    made["next_flush_ns"] = start_ns + FLUSH_NS // 2
    made["trade_id"] = 4_000_000_000 + below(state, 1_000_000_000)
    made["aggregate_id"] = 2_000_000_000 + below(state, 500_000_000)
    return made
