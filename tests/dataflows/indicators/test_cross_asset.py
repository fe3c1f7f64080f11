import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.indicators import cross_asset
from dataflows.indicators.cross_asset import CROSS_ASSET, FEATURES, WINDOWS, correlation_and_beta, features_of
from dataflows.kernels import Floats, RecordArray, kernel
from sluice.errors import InputError
from tests.dataflows.indicators.statistical.windows import returns, tape_mids

AT = {feature.name: column for column, feature in enumerate(FEATURES)}


@kernel
def tick(states: RecordArray, mid: float, reference: float, values: Floats) -> None:
    cross_asset.on_tick(states[0], mid, reference)
    cross_asset.fill(states[0], values)


@kernel
def forget(states: RecordArray, values: Floats) -> None:
    cross_asset.restart(states[0])
    cross_asset.fill(states[0], values)


def streamed(mids: Floats, references: Floats, states: RecordArray) -> Floats:
    rows = np.empty((mids.size, len(FEATURES)))
    for row, mid, reference in zip(rows, mids, references, strict=True):
        tick(states, mid, reference, row)
    return rows


def walks(size: int, seed: int = 1) -> tuple[Floats, Floats]:
    """Return an instrument and the reference, which leads it by one tick in part."""
    steps = np.random.default_rng(seed).normal(0, 1e-4, (2, size))
    lead = np.concatenate([[0.0], steps[1, :-1]])
    own = 0.7 * steps[1] + 0.4 * lead + 0.8 * steps[0]
    return 3_000 * np.exp(np.cumsum(own)), 60_000 * np.exp(np.cumsum(steps[1]))


def assert_equals_numpy(mids: Floats, references: Floats) -> None:
    """Hold the last row to NumPy on the windows that the names tell."""
    row = features_of(mids, references)[-1]
    own, reference = np.diff(np.log(mids)), np.diff(np.log(references))
    for ticks in WINDOWS:
        if own.size < ticks + 1:
            continue
        x, y, before = reference[-ticks:], own[-ticks:], reference[-ticks - 1 : -1]
        expected = {
            "reference_correlation": np.corrcoef(x, y)[0, 1],
            "reference_beta": np.polyfit(x / x.std(), y, 1)[0] / x.std(),
            "reference_lead_correlation": np.corrcoef(before, y)[0, 1],
        }
        for kind, value in expected.items():
            assert row[AT[f"{kind}_{ticks}_ticks"]] == pytest.approx(value, rel=1e-9, abs=1e-10), kind
        relative = np.log(mids[-1] / mids[-ticks - 1]) - np.log(references[-1] / references[-ticks - 1])
        said = row[AT[f"reference_relative_return_{ticks}_ticks_bps"]]
        assert said == pytest.approx(1e4 * relative, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_numpy_after_any_number_of_ticks(seed: int) -> None:
    for size in (62, 400, 902, 3_000):
        assert_equals_numpy(*walks(size, seed))


@pytest.mark.needs("data")
def test_values_are_those_of_numpy_on_real_bars(data_folder: Path) -> None:
    path = data_folder / "klines" / "binance_um_klines_1m_20250504_20250624.parquet"
    symbols = ["BTC", "ETH", "SOL"]
    closes = [
        pl.scan_parquet(path).filter(pl.col("symbol").str.starts_with(symbol)).head(2_000).collect()["close"].to_numpy()
        for symbol in symbols]
    for mids in closes[1:]:
        assert_equals_numpy(mids.astype(np.float64), closes[0].astype(np.float64))


@pytest.mark.needs("data")
def test_on_real_tapes_ether_follows_bitcoin(data_folder: Path) -> None:
    tapes = (data_folder / "ticks" / f"usdm_{name}usdt_20240808.gz" for name in ("eth", "btc"))
    ether, bitcoin = (tape_mids(tape)[:330] for tape in tapes)
    assert_equals_numpy(ether, bitcoin)
    assert features_of(ether, bitcoin)[-1, AT["reference_correlation_300_ticks"]] > 0.5


def test_the_reference_itself_has_correlation_and_beta_one_and_no_relative_return() -> None:
    _, references = walks(1_000)
    row = features_of(references, references)[-1]
    for ticks in WINDOWS:
        assert row[AT[f"reference_correlation_{ticks}_ticks"]] == pytest.approx(1.0, rel=1e-15)
        assert row[AT[f"reference_beta_{ticks}_ticks"]] == 1.0
        assert row[AT[f"reference_relative_return_{ticks}_ticks_bps"]] == 0.0


@settings(max_examples=40)
@given(returns(), st.sampled_from([-1.0, 1.0, 0.5, 3.0]))
def test_a_multiple_of_the_reference_has_that_beta_and_full_correlation_that_never_passes_one(
    window: Floats, beta: float,
) -> None:
    if window.max() == window.min():
        return
    correlation, slope = correlation_and_beta(beta * window, window)
    assert slope == pytest.approx(beta, rel=1e-9)
    assert correlation == pytest.approx(math.copysign(1.0, beta), rel=1e-12)
    assert abs(correlation) <= 1.0


def test_where_the_reference_rests_nothing_is_said_and_where_the_instrument_rests_its_beta_is_zero() -> None:
    moving, resting = np.array([1.0, -2.0, 1.5, 0.3]), np.zeros(4)
    assert all(map(math.isnan, correlation_and_beta(moving, resting)))
    correlation, beta = correlation_and_beta(resting, moving)
    assert math.isnan(correlation)
    assert beta == 0.0


def test_a_column_is_nan_until_its_warm_up_is_over_and_lies_in_its_range_from_then_on() -> None:
    rows = features_of(*walks(1_000))
    for column, feature in enumerate(FEATURES):
        # A return needs the tick before it as well.
        count = feature.warm_up.count
        assert np.isnan(rows[:count, column]).all(), feature.name
        assert np.all((rows[count:, column] >= feature.low) & (rows[count:, column] <= feature.high)), feature.name


@pytest.mark.parametrize("unknown", [np.nan, 0.0, -1.0])
@pytest.mark.parametrize("side", [0, 1])
def test_an_unknown_price_of_either_leaves_only_the_windows_that_have_it_unknown(unknown: float, side: int) -> None:
    pair = walks(400)
    whole = features_of(*pair)
    pair[side][100] = unknown
    rows = features_of(*pair)
    for column, feature in enumerate(FEATURES):
        last = 102 + feature.warm_up.count
        np.testing.assert_array_equal(rows[last:, column], whole[last:, column])
        np.testing.assert_array_equal(rows[:100, column], whole[:100, column])
    assert np.isnan(rows[100:161, AT["reference_beta_60_ticks"]]).all()


@settings(max_examples=10)
@given(st.integers(1, 1_099))
def test_streamed_cut_and_restored_the_bytes_are_those_of_the_batch(cut: int) -> None:
    mids, references = walks(1_100, seed=2)
    whole, states = features_of(mids, references), np.zeros(1, CROSS_ASSET)
    first = streamed(mids[:cut], references[:cut], states)
    restored = np.frombuffer(bytearray(states.tobytes()), CROSS_ASSET)
    second = streamed(mids[cut:], references[cut:], restored)
    assert first.tobytes() + second.tobytes() == whole.tobytes()


def test_after_a_restart_everything_is_as_in_the_beginning() -> None:
    mids, references = walks(200)
    states, values = np.zeros(1, CROSS_ASSET), np.zeros(len(FEATURES))
    first = streamed(mids, references, states)
    forget(states, values)
    assert np.isnan(values).all()
    assert streamed(mids, references, states).tobytes() == first.tobytes()


def test_prices_that_do_not_pair_are_refused() -> None:
    with pytest.raises(InputError, match="reference_mids must have 3 values as mids has, was 2"):
        features_of(np.ones(3), np.ones(2))
