"""A synthetic market: seeded tapes of true-looking frames, for demonstrations, tests and training without recordings.

Several correlated symbols, calm and wild regimes, bursts of trades, and a hidden pressure that shows in the book before
it shows in the price, so that there is something for a model to find. It is no model of any real market: what earns
money here proves nothing but that the machinery works.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

#: Raised whenever the same arguments begin to give other frames, so that a kept tape is never taken for a new one.
GENERATION = 3
DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
#: 2026-01-05T00:00:00Z, a Monday.
DEFAULT_START_NS = 1_767_571_200_000_000_000


def make_tape(
    out_dir: Path,
    *,
    seed: int = 7,
    minutes: float = 10.0,
    symbols: Sequence[str] = DEFAULT_SYMBOLS,
    start_ns: int = DEFAULT_START_NS,
    signal: float = 1.0,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write one gzip tape a symbol into a folder; return the files, in the order of the symbols.

    The frames depend on the arguments alone. `signal` scales how much the hidden pressure drives prices: at 0 the book
    and the trades tell nothing about the future, and whoever still finds a profit has found a mistake. `progress` is
    called with the part done, up to 1. Raises `NotFoundError` for a symbol that the shipped catalogue lacks and
    `InputError` for arguments that make no tape.
    """
    # The simulation is compiled code: whoever only asks for a default should not wait for its import.
    from backtest.synthetic.parameters import PRESSURE_DRIFT, MarketParameters, symbol_parameters  # noqa: PLC0415
    from backtest.synthetic.tape import record_market  # noqa: PLC0415
    from sluice.errors import InputError  # noqa: PLC0415
    from sluice.instruments import InstrumentCatalog  # noqa: PLC0415

    if not symbols or len(set(symbols)) != len(symbols):
        raise InputError(f"symbols must be at least one, each once, was {', '.join(symbols) or 'none'}")
    if not 0 < minutes <= 7 * 24 * 60:
        raise InputError(f"minutes must be above 0 and at most 10080 (a week), was {minutes:g}")
    if not 0 <= signal <= 5:
        raise InputError(f"signal must be from 0 to 5, was {signal:g}")
    catalog = InstrumentCatalog.shipped()
    chosen = tuple(symbol_parameters(symbol, catalog) for symbol in symbols)
    market = MarketParameters(chosen, seed, start_ns, minutes, signal * PRESSURE_DRIFT)
    return record_market(market, out_dir, progress)
