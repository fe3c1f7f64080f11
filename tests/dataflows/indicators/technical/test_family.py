"""The family as a whole: its columns, its warm-up, and what holds whatever the market does."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.bars import BAR
from dataflows.indicators import technical
from dataflows.indicators.technical import TECHNICAL, batch
from dataflows.indicators.technical.loops import rows
from dataflows.kernels import Floats, RecordArray, kernel
from tests.dataflows.indicators.technical.histories import (
    MINUTE_NS,
    NAMES,
    coarse_bars,
    flat_bars,
    random_bars,
    real_bars,
)

FEATURES = technical.features("_1m")
COLUMN = {feature.name: place for place, feature in enumerate(FEATURES)}
FEW = settings(max_examples=60)


@kernel
def forget(state: RecordArray) -> None:
    technical.restart(state[0])


def new_state(interval_ns: int = MINUTE_NS) -> RecordArray:
    state = np.zeros(1, TECHNICAL)
    state["interval_ns"] = interval_ns
    return state


def streamed(bars: RecordArray, state: RecordArray | None = None) -> Floats:
    out = np.zeros((len(bars), len(FEATURES)))
    rows(new_state() if state is None else state, bars.copy(), bars["close"].copy(), out)
    return out


def from_batch(bars: RecordArray, interval_ns: int = MINUTE_NS) -> dict[str, Floats]:
    """Return the columns as the batch functions have them, set against the close."""
    high, low, close, volume = (bars[name].copy() for name in ("high", "low", "close", "volume"))
    macd, cloud = batch.macd(close), batch.ichimoku(high, low, close)
    trend, stochastic = batch.supertrend(high, low, close), batch.stochastic(high, low, close)
    donchian, keltner = batch.donchian(high, low, close), batch.keltner(high, low, close)
    direction, balance = batch.adx(high, low, close), batch.on_balance_volume(close, volume, 20)
    bands = batch.bollinger(close)
    levels = {
        "sma_20": batch.sma(close, 20), "sma_50": batch.sma(close, 50),
        "ema_20": batch.ema(close, 20), "ema_50": batch.ema(close, 50),
        "vwap_session": batch.session_vwap(bars["index"] * interval_ns, high, low, close, volume),
        "ichimoku_conversion_9": cloud.conversion, "ichimoku_base_26": cloud.base,
        "ichimoku_span_a": cloud.span_a, "ichimoku_span_b": cloud.span_b,
        "supertrend_10_3": trend.line,
        "donchian_20_upper": donchian.upper, "donchian_20_lower": donchian.lower,
        "keltner_20_10_2_upper": keltner.upper, "keltner_20_10_2_lower": keltner.lower,
        "vwap_20": batch.rolling_vwap(high, low, close, volume, 20),
    }  # fmt: skip
    amounts = {
        "macd_12_26": macd.line, "macd_signal_9": macd.signal, "macd_histogram": macd.histogram,
        "ichimoku_lagging": cloud.lagging, "atr_14": batch.atr(high, low, close),
    }  # fmt: skip
    plain = {
        "rsi_14": batch.rsi(close), "stochastic_k_14_3": stochastic.k, "stochastic_d_3": stochastic.d,
        "roc_5_bps": batch.rate_of_change_bps(close, 5), "roc_20_bps": batch.rate_of_change_bps(close, 20),
        "supertrend_10_3_direction": trend.direction,
        "adx_14": direction.adx, "plus_di_14": direction.plus, "minus_di_14": direction.minus,
        "bollinger_20_2_percent_b": bands.percent_b, "bollinger_20_2_bandwidth": bands.bandwidth,
        "donchian_20_position": donchian.position, "keltner_20_10_2_position": keltner.position,
        "obv_change_20": balance.change, "obv_balance_20": balance.balance,
    }  # fmt: skip
    columns = {f"{name}_deviation_bps": 10_000.0 * (value - close) / close for name, value in levels.items()}
    columns |= {f"{name}_bps": 10_000.0 * value / close for name, value in amounts.items()}
    return {f"{name}_1m": value for name, value in (columns | plain).items()}


def assert_columns_are_those_of_the_batch(bars: RecordArray) -> None:
    expected = from_batch(bars)
    assert set(expected) == set(COLUMN)
    table = streamed(bars)
    for name, place in COLUMN.items():
        np.testing.assert_array_equal(table[:, place], expected[name], err_msg=name)


def test_every_column_is_to_the_bit_what_its_batch_function_says_after_the_ring_went_round_often() -> None:
    assert_columns_are_those_of_the_batch(random_bars(1, 600))


@FEW
@given(coarse_bars())
def test_every_column_is_to_the_bit_what_its_batch_function_says_on_any_bars(bars: RecordArray) -> None:
    assert_columns_are_those_of_the_batch(bars)


@pytest.mark.needs("data")
@pytest.mark.parametrize("symbol", ["BTCUSDT", "1000PEPEUSDT"])
def test_a_stream_of_real_bars_fills_the_rows_of_the_batch(data_folder: Path, symbol: str) -> None:
    bars = real_bars(data_folder, symbol)
    table = streamed(bars, new_state(5 * MINUTE_NS))
    assert batch.technical_features(bars, "_5m").tobytes() == table.tobytes()
    assert np.isfinite(table[100:]).all()


@pytest.mark.parametrize("tick", [0.0, 0.5])
def test_a_column_is_not_a_number_before_its_warm_up_and_one_ever_after(tick: float) -> None:
    warm = np.isfinite(streamed(random_bars(2, 300, tick)))
    for place, feature in enumerate(FEATURES):
        assert warm[:, place].tolist() == [bar >= feature.warm_up.count for bar in range(1, 301)], feature.name


def test_nothing_is_said_before_the_first_bar_or_after_a_restart() -> None:
    out = np.zeros((1, len(FEATURES)))
    state = new_state()
    for _ in range(2):
        fill_only(state, out)
        assert np.isnan(out).all()
        streamed(random_bars(3, 90), state)
        forget(state)


@kernel
def fill_only(state: RecordArray, out: Floats) -> None:
    technical.fill(state[0], 100.0, out[0])


def test_bars_after_a_restart_give_what_they_give_at_the_start() -> None:
    bars, state = random_bars(4, 200), new_state()
    first = streamed(bars, state)
    forget(state)
    assert streamed(bars, state).tobytes() == first.tobytes()


@FEW
@given(coarse_bars(), st.integers(0, 160))
def test_a_copy_of_the_record_goes_on_as_the_record_does(bars: RecordArray, cut: int) -> None:
    whole = streamed(bars)
    state = new_state()
    before = streamed(bars[:cut], state)
    restored = np.frombuffer(state.tobytes(), TECHNICAL).copy()
    assert before.tobytes() + streamed(bars[cut:], restored).tobytes() == whole.tobytes()


@FEW
@given(coarse_bars(), st.integers(0, 160))
def test_the_future_does_not_change_the_past(bars: RecordArray, cut: int) -> None:
    assert streamed(bars[:cut]).tobytes() == streamed(bars)[:cut].tobytes()


@FEW
@given(coarse_bars())
def test_values_lie_in_the_ranges_that_the_features_promise(bars: RecordArray) -> None:
    table = streamed(bars)
    for place, feature in enumerate(FEATURES):
        column = table[feature.warm_up.count - 1 :, place]
        assert np.isfinite(column).all(), feature.name
        assert ((column >= feature.low) & (column <= feature.high)).all(), feature.name


@FEW
@given(coarse_bars(), st.integers(-20, 20))
def test_prices_in_another_unit_give_the_same_row(bars: RecordArray, power: int) -> None:
    scaled = bars.copy()
    for name in NAMES[:4]:
        scaled[name] *= 2.0**power
    assert streamed(scaled).tobytes() == streamed(bars).tobytes()


@pytest.mark.parametrize("price", [0.0006808, 25802.9, 0.1])
@pytest.mark.parametrize("volume", [0.0, 3.0])
def test_a_market_that_does_not_move_is_at_no_distance_from_anything_and_in_the_middle_of_everything(
    price: float, volume: float,
) -> None:
    last = dict(zip(COLUMN, streamed(flat_bars(100, price, volume))[-1], strict=True))
    assert all(abs(value) < 1e-9 for name, value in last.items() if "_bps_" in name)
    middles = {name: value for name, value in last.items() if value == 50.0}
    assert set(middles) == {"rsi_14_1m", "stochastic_k_14_3_1m", "stochastic_d_3_1m"}
    halves = [name for name, value in last.items() if value == 0.5]
    assert halves == ["bollinger_20_2_percent_b_1m", "donchian_20_position_1m", "keltner_20_10_2_position_1m"]
    assert last["bollinger_20_2_bandwidth_1m"] == last["adx_14_1m"] == last["obv_balance_20_1m"] == 0.0


def test_distances_follow_the_mid_price_and_oscillators_do_not() -> None:
    bars = random_bars(5, 100)
    out = np.zeros((2, 100, len(FEATURES)))
    rows(new_state(), bars, bars["close"].copy(), out[0])
    rows(new_state(), bars, 1.01 * bars["close"], out[1])
    for name, place in COLUMN.items():
        same = out[0, -1, place] == out[1, -1, place]
        assert same == ("_bps_" not in name or name.startswith("roc_")), name
    place = COLUMN["ema_20_deviation_bps_1m"]
    level = bars["close"][-1] * (1.0 + out[0, -1, place] / 10_000.0)
    assert out[1, -1, place] == pytest.approx(10_000.0 * (level / (1.01 * bars["close"][-1]) - 1.0), rel=1e-9)


def test_without_a_price_only_what_needs_none_is_said() -> None:
    bars = random_bars(6, 100)
    out = np.zeros((100, len(FEATURES)))
    rows(new_state(), bars, np.full(100, np.nan), out)
    said = {name for name, place in COLUMN.items() if np.isfinite(out[-1, place])}
    assert said == {name for name in COLUMN if "_bps_" not in name or name.startswith("roc_")}


def test_a_day_that_is_missing_begins_a_session_and_changes_nothing_else() -> None:
    bars = random_bars(7, 200)
    late = bars.copy()
    late["index"][150:] += 1440
    table, gap = streamed(bars), streamed(late)
    changed = (table[150] != gap[150]).nonzero()[0].tolist()
    assert changed == [COLUMN["vwap_session_deviation_bps_1m"]]
    bar = late[150]
    typical = (bar["high"] + bar["low"] + bar["close"]) / 3.0
    expected = 10_000.0 * (typical / bar["close"] - 1.0) if bar["volume"] else 0.0
    assert gap[150, changed[0]] == pytest.approx(expected, abs=1e-9)


def test_names_are_unique_and_tell_the_length_of_the_bars() -> None:
    assert len(COLUMN) == len(FEATURES)
    assert all(name.endswith("_1m") for name in COLUMN)
    assert not set(COLUMN) & {feature.name for feature in technical.features("_1s")}
    assert all(feature.definition and feature.source and feature.inputs and feature.unit for feature in FEATURES)


def test_bars_of_the_flow_are_those_that_the_family_takes() -> None:
    assert set(NAMES) < set(BAR.names or ())


def test_a_market_that_stops_keeps_its_ratios_until_they_have_faded_and_never_leaves_its_ranges() -> None:
    moving, still = random_bars(8, 100), flat_bars(12_000, 0.0)
    for name in NAMES[:4]:
        still[name] = moving["close"][-1]
    table = streamed(np.concatenate([moving, still]))
    for place, feature in enumerate(FEATURES):
        column = table[100:, place]
        assert np.isfinite(column).all(), feature.name
        assert ((column >= feature.low) & (column <= feature.high)).all(), feature.name
    first, later, last = table[100], table[5000], table[-1]
    for name in ("rsi_14_1m", "adx_14_1m"):
        assert 0.0 < first[COLUMN[name]] < 100.0
    assert later[COLUMN["rsi_14_1m"]] == pytest.approx(first[COLUMN["rsi_14_1m"]], rel=1e-9)
    assert later[COLUMN["plus_di_14_1m"]] > 0.0
    assert last[COLUMN["rsi_14_1m"]] == 50.0
    assert last[COLUMN["plus_di_14_1m"]] == last[COLUMN["minus_di_14_1m"]] == 0.0
    assert np.abs(table[100:, COLUMN["keltner_20_10_2_position_1m"]]).max() < 10.0
    assert last[COLUMN["keltner_20_10_2_position_1m"]] == 0.5
