import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.bars import BAR
from dataflows.indicators import statistical
from dataflows.indicators.registry import Clock
from dataflows.indicators.statistical import FEATURES, STATISTICAL, batch, entropy, hurst, moments, ranges, variance
from dataflows.kernels import Floats, RecordArray, kernel
from sluice.errors import InputError
from tests.dataflows.indicators.statistical.windows import tape_mids

AT = {feature.name: column for column, feature in enumerate(FEATURES)}
OF_BARS = np.array([feature.warm_up.clock is Clock.BARS for feature in FEATURES])
BASIS_POINTS = 10_000.0


@kernel
def second(states: RecordArray, number: int, mid: float) -> None:
    statistical.on_second(states[0], number, mid)


@kernel
def minute(states: RecordArray, bars: RecordArray) -> None:
    statistical.add_bar(states[0], bars[0])


@kernel
def read(states: RecordArray, values: Floats) -> None:
    statistical.fill(states[0], values)


@kernel
def forget(states: RecordArray) -> None:
    statistical.restart(states[0])


def row(states: RecordArray) -> Floats:
    values = np.empty(len(FEATURES))
    read(states, values)
    return values


def walk(size: int, seed: int = 1) -> Floats:
    """Return mid prices on a tick grid, so that many seconds change nothing."""
    steps = np.random.default_rng(seed).normal(0, 0.15, size)
    return np.round((60_000 + np.cumsum(steps)) * 10) / 10


def walking_bars(size: int, seed: int = 1) -> RecordArray:
    prices = walk(size * 60, seed).reshape(size, 60)
    bars = np.zeros(size, BAR)
    bars["open"], bars["high"], bars["low"], bars["close"] = (
        prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1])
    return bars


def log_returns(mids: Floats) -> Floats:
    return np.array([math.log(now / then) for then, now in itertools.pairwise(mids)])


def judged(mids: Floats, bars: RecordArray) -> dict[str, float]:
    """Say what each column must be: the plain kernel on the window that its name tells."""
    changes = log_returns(mids)
    expected: dict[str, float] = {}
    boxes = hurst.boxes(15, 50, 150), hurst.boxes(10, 20, 50, 100)
    for seconds in (60, 300, 900):
        window = changes[-seconds:]
        expected[f"skewness_{seconds}s"] = moments.skewness(window)
        expected[f"excess_kurtosis_{seconds}s"] = moments.excess_kurtosis(window)
        expected[f"shannon_entropy_{seconds}s"] = entropy.shannon_entropy(window)
        expected[f"permutation_entropy_{seconds}s"] = entropy.permutation_entropy(window, 3)
        for lag in (1, 5):
            expected[f"autocorrelation_lag_{lag}_{seconds}s"] = moments.autocorrelation(window, lag)
    for seconds in (300, 900):
        window = changes[-seconds:]
        expected[f"realised_volatility_{seconds}s_bps"] = BASIS_POINTS * moments.realised_volatility(window)
        expected[f"volatility_of_volatility_{seconds}s_bps"] = (
            BASIS_POINTS * moments.volatility_of_volatility(window, 60))
        expected[f"hurst_rescaled_range_{seconds}s"] = hurst.hurst_rescaled_range(window, boxes[0])
        expected[f"hurst_detrended_{seconds}s"] = hurst.hurst_detrended(window, boxes[1])
        expected[f"jump_share_{seconds}s"], expected[f"jump_z_{seconds}s"] = variance.jump_test(window)
        for horizon in (2, 5, 10):
            ratio, z = variance.variance_ratio(window, horizon)
            expected[f"variance_ratio_{horizon}s_{seconds}s"] = ratio
            expected[f"variance_ratio_z_{horizon}s_{seconds}s"] = z
    expected["sample_entropy_300s"] = entropy.sample_entropy(changes[-300:])
    for minutes in (15, 60):
        opening, high, low, close = (
            bars[name][-minutes - 1 :].copy() for name in ("open", "high", "low", "close"))
        expected[f"parkinson_volatility_{minutes}m_bps"] = BASIS_POINTS * ranges.parkinson(high[1:], low[1:])
        expected[f"garman_klass_volatility_{minutes}m_bps"] = BASIS_POINTS * ranges.garman_klass(
            opening[1:], high[1:], low[1:], close[1:])
        expected[f"yang_zhang_volatility_{minutes}m_bps"] = BASIS_POINTS * ranges.yang_zhang(opening, high, low, close)
    return expected


@pytest.mark.parametrize("seconds", [901, 1500, 5000])
def test_each_column_is_its_plain_kernel_on_the_window_that_its_name_tells(seconds: int) -> None:
    mids, bars, states = walk(seconds), walking_bars(61 + seconds // 60), np.zeros(1, STATISTICAL)
    for number, mid in enumerate(mids):
        second(states, number, mid)
    for bar in range(bars.size):
        minute(states, bars[bar : bar + 1])
    expected = judged(mids, bars)
    assert dict(zip(AT, row(states).tolist(), strict=True)) == {name: expected[name] for name in AT}


@pytest.mark.needs("data")
def test_on_a_real_tape_the_columns_are_the_plain_kernels_and_lie_in_the_ranges_that_the_registry_states(
    data_folder: Path,
) -> None:
    mids = tape_mids(data_folder / "ticks" / "usdm_ethusdt_20240808.gz")
    assert mids.size > 320
    rows = batch.second_features(mids)
    expected = judged(mids, walking_bars(61))
    for column, feature in enumerate(FEATURES):
        values = rows[:, column][np.isfinite(rows[:, column])]
        assert np.all((values >= feature.low) & (values <= feature.high)), feature.name
        if feature.warm_up.clock is Clock.SECONDS and feature.warm_up.count <= 300:
            assert values.size > 0, feature.name
            assert rows[-1, column] == expected[feature.name], feature.name


def test_a_column_is_nan_until_its_warm_up_is_over_and_a_number_from_then_on() -> None:
    seconds, bars = batch.second_features(walk(1000)), batch.bar_features(walking_bars(80))
    for column, feature in enumerate(FEATURES):
        # A return needs the second before it as well; a bar stands alone.
        is_of_bars = feature.warm_up.clock is Clock.BARS
        rows, first = (bars, feature.warm_up.count - 1) if is_of_bars else (seconds, feature.warm_up.count)
        assert np.isnan(rows[:first, column]).all(), feature.name
        assert np.isfinite(rows[first:, column]).all(), feature.name


def test_the_stream_gives_the_bytes_of_the_batch_whenever_it_is_read() -> None:
    mids = walk(1400, seed=2)
    rows, states = batch.second_features(mids), np.zeros(1, STATISTICAL)
    for number, mid in enumerate(mids):
        second(states, number, mid)
        if number % 7 == 0 or number > 1395:
            assert row(states).tobytes() == row(states).tobytes() == rows[number].tobytes()
    assert batch.second_features(mids, every=10).tobytes() == rows[9::10].tobytes()


@settings(max_examples=10)
@given(st.integers(0, 1100))
def test_a_restored_state_goes_on_with_the_same_bytes_and_the_future_changes_nothing_of_the_past(cut: int) -> None:
    mids, bars, states = walk(1100, seed=3), walking_bars(18), np.zeros(1, STATISTICAL)
    for number in range(cut):
        second(states, number, mids[number])
        if number % 60 == 59:
            minute(states, bars[number // 60 : number // 60 + 1])
    before = row(states).tobytes()
    restored = np.frombuffer(bytearray(states.tobytes()), STATISTICAL)
    for state in (states, restored):
        for number in range(cut, 1100):
            second(state, number, mids[number])
    assert restored.tobytes() == states.tobytes()
    assert row(restored).tobytes() == row(states).tobytes()
    if cut:
        past = np.frombuffer(before)[~OF_BARS]
        assert past.tobytes() == batch.second_features(mids[:cut])[-1, ~OF_BARS].tobytes()


@pytest.mark.parametrize("unknown", [np.nan, 0.0, -5.0, np.inf])
def test_a_mid_price_that_is_none_leaves_the_windows_that_have_it_and_only_those_unknown(unknown: float) -> None:
    mids = walk(1400)
    broken = mids.copy()
    broken[200] = unknown
    rows, whole = batch.second_features(broken), batch.second_features(mids)
    for column, feature in enumerate(FEATURES):
        if feature.warm_up.clock is Clock.SECONDS:
            # The returns into and out of it, at 200 and 201.
            count = feature.warm_up.count
            assert np.isnan(rows[200 : 201 + count, column]).all(), feature.name
            np.testing.assert_array_equal(rows[201 + count :, column], whole[201 + count :, column])
            np.testing.assert_array_equal(rows[:200, column], whole[:200, column])


@pytest.mark.parametrize("following", [1000, 1002, 998, 5_000_000_000])
def test_after_a_second_that_is_not_the_next_the_returns_begin_anew_and_the_bars_stay(following: int) -> None:
    states, bars = np.zeros(1, STATISTICAL), walking_bars(70)
    for number, mid in enumerate(walk(1001)):
        second(states, number, mid)
    for bar in range(bars.size):
        minute(states, bars[bar : bar + 1])
    assert np.isfinite(row(states)).all()
    second(states, following, 60_000.0)
    np.testing.assert_array_equal(np.isfinite(row(states)), OF_BARS)
    for number, mid in enumerate(walk(61), start=following + 1):
        second(states, number, mid)
    assert math.isfinite(row(states)[AT["skewness_60s"]])


def test_after_a_restart_everything_is_as_in_the_beginning() -> None:
    states, fresh = np.zeros(1, STATISTICAL), np.zeros(1, STATISTICAL)
    bars = walking_bars(70)

    def feed(target: RecordArray) -> None:
        for number, mid in enumerate(walk(400, seed=5)):
            second(target, number, mid)
        for bar in range(20):
            minute(target, bars[bar : bar + 1])

    feed(states)
    row(states)
    forget(states)
    assert np.isnan(row(states)).all()
    assert np.isnan(row(fresh)).all()
    feed(states)
    feed(fresh)
    assert row(states).tobytes() == row(fresh).tobytes()


def test_of_a_price_that_does_not_move_only_what_needs_no_spread_is_said() -> None:
    values = batch.second_features(np.full(1000, 100.0))[-1]
    said = {name: value for name, value in zip(AT, values.tolist(), strict=True) if math.isfinite(value)}
    kinds = {name.rsplit("_", 2 if name.endswith("bps") else 1)[0] for name in said}
    assert kinds == {"realised_volatility", "volatility_of_volatility", "permutation_entropy"}
    assert set(said.values()) == {0.0}


def test_one_statistic_over_an_array_is_the_column_of_the_features() -> None:
    mids = walk(1000)
    changes = log_returns(mids)
    column = batch.rolling(moments.autocorrelation, changes, 300, 5)
    rows = batch.second_features(mids)[1:]
    np.testing.assert_array_equal(column, rows[:, AT["autocorrelation_lag_5_300s"]])


def test_names_are_unique_and_what_makes_no_rows_is_refused() -> None:
    assert len(AT) == len(FEATURES)
    with pytest.raises(InputError, match="every must be positive, was 0"):
        batch.second_features(np.ones(3), every=0)
    with pytest.raises(InputError, match="window must be positive, was 0"):
        batch.rolling(moments.skewness, np.ones(3), 0)
    with pytest.raises(InputError, match="bars must be of dtype BAR, was "):
        batch.bar_features(np.zeros(3, STATISTICAL))
