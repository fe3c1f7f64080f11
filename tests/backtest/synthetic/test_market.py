"""The synthetic market keeps its promises: correlated symbols, regimes, and a signal only where it is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.synthetic import make_tape
from backtest.synthetic.parameters import MarketParameters
from backtest.synthetic.paths import CommonState
from dataflows.kernels import Floats
from tests.backtest.synthetic.observed import observe

SECOND_NS = 1_000_000_000
HORIZON_S = 20
AVERAGE_S = 10


def per_second(tickers: list[dict[str, Any]]) -> tuple[Floats, Floats]:
    """Return log mid prices and imbalances averaged over the last ten seconds, both each second."""
    times = np.array([ticker["receive_ns"] for ticker in tickers])
    bid, bid_size, ask, ask_size = (np.array([float(t[name]) for t in tickers]) for name in "bBaA")
    seconds = np.arange(times[0] // SECOND_NS + AVERAGE_S + 1, times[-1] // SECOND_NS) * SECOND_NS
    upto = np.searchsorted(times, seconds, "right")
    since = np.searchsorted(times, seconds - AVERAGE_S * SECOND_NS, "right")
    sums = np.concatenate([[0.0], np.cumsum((bid_size - ask_size) / (bid_size + ask_size))])
    return np.log((bid + ask) / 2)[upto - 1], (sums[upto] - sums[since]) / np.maximum(1, upto - since)


def series(folder: Path, signal: float) -> list[tuple[Floats, Floats]]:
    files = make_tape(folder, seed=7, minutes=30.0, symbols=("BTCUSDT", "SOLUSDT"), signal=signal)
    return [per_second(observe(file).of("bookTicker")) for file in files]


def foretold(mids: Floats, imbalance: Floats) -> float:
    """Return the correlation of the imbalance with the return of the next seconds."""
    return float(np.corrcoef(imbalance[:-HORIZON_S], mids[HORIZON_S:] - mids[:-HORIZON_S])[0, 1])


@pytest.fixture(scope="module")
def with_signal(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Floats, Floats]]:
    return series(tmp_path_factory.mktemp("signal"), 1.0)


def test_imbalance_foretells_returns_with_the_signal_and_not_without(
    with_signal: list[tuple[Floats, Floats]], tmp_path: Path
) -> None:
    # About 90 windows of 20 s do not overlap: chance alone gives a mean correlation below 0.15 for two symbols.
    assert np.mean([foretold(*one) for one in with_signal]) > 0.25
    assert abs(np.mean([foretold(*one) for one in series(tmp_path, 0.0)])) < 0.15


def test_symbols_move_together(with_signal: list[tuple[Floats, Floats]]) -> None:
    one, other = (np.diff(mids[::5]) for mids, _ in with_signal)
    length = min(len(one), len(other))
    assert 0.5 < np.corrcoef(one[:length], other[:length])[0, 1] < 0.95


def test_returns_have_the_volatility_of_a_liquid_contract_and_fat_tails(
    with_signal: list[tuple[Floats, Floats]],
) -> None:
    returns = np.diff(with_signal[0][0]) * 1e4
    assert 0.4 < returns.std() < 3.0
    assert ((returns / returns.std()) ** 4).mean() > 3.5  # a normal distribution has 3: regimes mix volatilities


def test_all_regimes_occur_in_an_hour_and_each_lasts() -> None:
    regimes = CommonState(MarketParameters(())).advance(60 * 60 * 200).regime
    assert set(regimes.tolist()) == {0, 1, 2}
    assert np.count_nonzero(np.diff(regimes)) < 100


def test_the_pressure_has_variance_one_and_fades() -> None:
    pressure = CommonState(MarketParameters(())).advance(12 * 60 * 60 * 200).pressure
    assert 0.7 < pressure.var() < 1.3
    minute = 60 * 200
    assert 0.2 < np.corrcoef(pressure[:-minute], pressure[minute:])[0, 1] < 0.5  # 1/e after its time constant
