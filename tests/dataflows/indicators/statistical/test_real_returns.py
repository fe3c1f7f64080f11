from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from dataflows.indicators.statistical import entropy, hurst, moments, variance
from dataflows.kernels import Floats
from tests.dataflows.indicators.statistical import judges
from tests.dataflows.indicators.statistical.windows import tape_mids

Value = float | tuple[float, float]

RESCALED, DETRENDED = (15, 50, 150), (10, 20, 50, 100)


def assert_judged(window: Floats) -> None:
    """Hold every kernel that a window of 300 or more has to its judge."""
    pairs: dict[str, tuple[Value, Value]] = {
        "realised volatility": (moments.realised_volatility(window), float(np.linalg.norm(window))),
        "its own": (moments.volatility_of_volatility(window, 60), judges.volatility_of_volatility(window, 60)),
        "skewness": (moments.skewness(window), stats.skew(window)),
        "kurtosis": (moments.excess_kurtosis(window), stats.kurtosis(window)),
        "lag 1": (moments.autocorrelation(window, 1), judges.autocorrelation(window, 1)),
        "lag 5": (moments.autocorrelation(window, 5), judges.autocorrelation(window, 5)),
        "rescaled range": (hurst.hurst_rescaled_range(window, hurst.boxes(*RESCALED)),
                           judges.hurst_rescaled_range(window, list(RESCALED))),
        "detrended": (hurst.hurst_detrended(window, hurst.boxes(*DETRENDED)),
                      judges.hurst_detrended(window, list(DETRENDED))),
        "shannon": (entropy.shannon_entropy(window), judges.shannon_entropy(window)),
        "permutation": (entropy.permutation_entropy(window, 3), judges.permutation_entropy(window, 3)),
        "sample": (entropy.sample_entropy(window[-300:]), judges.sample_entropy(window[-300:])),
        "ratio 2": (variance.variance_ratio(window, 2), judges.variance_ratio(window, 2)),
        "ratio 5": (variance.variance_ratio(window, 5), judges.variance_ratio(window, 5)),
        "ratio 10": (variance.variance_ratio(window, 10), judges.variance_ratio(window, 10)),
        "jumps": (variance.jump_test(window), judges.jump_test(window)),
    }
    for name, (ours, theirs) in pairs.items():
        # What may be near zero is held to 1e-12 absolutely there.
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 if name != "its own" else 0.0, err_msg=name)


@pytest.mark.needs("data")
@pytest.mark.parametrize("symbol", ["btc", "eth"])
def test_kernels_equal_their_judges_on_the_seconds_of_real_tapes(data_folder: Path, symbol: str) -> None:
    returns = np.diff(np.log(tape_mids(data_folder / "ticks" / f"usdm_{symbol}usdt_20240808.gz")))
    assert returns.size > 320
    for end in range(300, returns.size, 20):
        assert_judged(returns[end - 300 : end].copy())


@pytest.mark.needs("data")
@pytest.mark.parametrize("symbol", ["BTC", "SOL"])
def test_kernels_equal_their_judges_on_the_minutes_of_real_bars(data_folder: Path, symbol: str) -> None:
    path = data_folder / "klines" / "binance_um_klines_1m_20250504_20250624.parquet"
    bars = pl.scan_parquet(path).filter(pl.col("symbol").str.starts_with(symbol)).head(5_401).collect()
    returns = np.diff(np.log(bars["close"].to_numpy().astype(np.float64)))
    for window in returns.reshape(6, 900):
        assert_judged(window)
