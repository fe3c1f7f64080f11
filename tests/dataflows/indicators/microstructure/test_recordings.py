"""Every feature of events on eleven minutes of Binance's stream against plain NumPy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dataflows.indicators.microstructure import FEATURES
from dataflows.indicators.microstructure.batch import rows
from dataflows.indicators.microstructure.observer import EVENTS_BEGIN
from dataflows.kernels import Floats, RecordArray
from tests.conftest import recorded_data
from tests.dataflows.indicators.microstructure import plain
from tests.dataflows.indicators.microstructure.events import SECOND, column, recorded
from tests.dataflows.indicators.microstructure.plain import History

pytestmark = pytest.mark.needs("data")


@pytest.fixture(scope="module")
def events() -> RecordArray:
    names = ("cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz")
    return recorded([recorded_data() / "ticks" / name for name in names])


@pytest.fixture(scope="module")
def ends(events: RecordArray) -> NDArray[np.int64]:
    """The whole seconds before the ticks, of which some lie inside a second."""
    first = int(events["time_ns"][0]) // SECOND + 1
    return first + np.array([301, 310, 345, 399, 422, 500, 555, 610, 640, 645])


@pytest.fixture(scope="module")
def values(events: RecordArray, ends: NDArray[np.int64]) -> Floats:
    return rows(events, ends * SECOND + np.arange(ends.size) * 100_000_000)


@pytest.fixture(scope="module")
def history(events: RecordArray) -> History:
    return History(events)


def test_order_flow_and_rates(history: History, ends: NDArray[np.int64], values: Floats) -> None:
    for seconds in (1, 10, 60):
        expected = np.array([plain.order_flow(history, end, seconds) for end in ends])
        close(column(values, f"order_flow_imbalance_{seconds}s"), expected[:, 0])
        close(column(values, f"order_flow_imbalance_{seconds}s_per_depth"), expected[:, 1])
    for seconds in (10, 60):
        changes = [plain.touch_changes(history, end, seconds) for end in ends]
        close(column(values, f"touch_change_rate_{seconds}s"), np.array(changes) / seconds)
        inside = [(history.level_seconds >= end - seconds) & (history.level_seconds < end) for end in ends]
        close(column(values, f"book_update_rate_{seconds}s"), [part.sum() / seconds for part in inside])
        for name, at in (("level_set_rate", 0), ("level_removal_rate", 1)):
            close(column(values, f"{name}_{seconds}s"), [history.levels[part, at].sum() / seconds for part in inside])


def test_trades(history: History, ends: NDArray[np.int64], values: Floats) -> None:
    for seconds in (1, 10, 60, 300):
        signs = [history.sign[history.traded(end, seconds)] for end in ends]
        close(column(values, f"trade_count_imbalance_{seconds}s"), [s.mean() if s.size else 0.0 for s in signs])
    signed = [(history.sign * history.quantity)[history.traded(end, 300)].sum() for end in ends]
    close(column(values, "cvd_300s"), signed)
    close(column(values, "flow_imbalance_300s"), signed / np.array([history.volume(end, 300) for end in ends]))
    close(column(values, "trade_rate_60s"), [history.traded(end, 60).sum() / 60 for end in ends])


def test_spreads(history: History, ends: NDArray[np.int64], values: Floats) -> None:
    later = history.mid_at(history.trade_seconds + 6)
    close(column(values, "effective_spread_60s_bps"), [plain.spread(history, end) for end in ends])
    realised = np.array([plain.spread(history, end - 5, later) for end in ends])
    close(column(values, "realised_spread_60s_bps"), realised)
    effective = [plain.spread(history, end - 5) for end in ends]
    close(column(values, "price_impact_60s_bps"), effective - realised)


def test_liquidity(history: History, ends: NDArray[np.int64], values: Floats) -> None:
    ticks = ends * SECOND + np.arange(len(ends)) * 100_000_000
    mids = history.mids[np.searchsorted(history.top_times, ticks) - 1]
    for seconds in (60, 300):
        close(column(values, f"kyle_lambda_{seconds}s"), [plain.kyle(history, end, seconds) for end in ends])
        close(column(values, f"amihud_illiquidity_{seconds}s"), [plain.amihud(history, end, seconds) for end in ends])
        close(column(values, f"roll_spread_{seconds}s_bps"),
              1e4 * np.array([plain.roll(history, end, seconds) for end in ends]) / mids)


def test_volume_buckets(events: RecordArray, history: History) -> None:
    """Ticks are at whole seconds: inside of one, trades of that second have been seen too."""
    last = int(events["time_ns"][-1]) // SECOND
    ends = np.arange(last - 60, last, 15)
    expected = [plain.volume_bucket_imbalance(history, int(end)) for end in ends]
    assert np.isfinite(expected).any()
    close(column(rows(events, ends * SECOND), "vpin_50"), expected)


def test_every_feature_of_a_recorded_stream_becomes_valid_and_stays_in_its_range(values: Floats) -> None:
    for feature, column_values in zip(FEATURES[EVENTS_BEGIN:], values.T[EVENTS_BEGIN:], strict=True):
        known = column_values[np.isfinite(column_values)]
        assert ((known >= feature.low) & (known <= feature.high)).all(), feature.name
        if not feature.inputs.startswith(("mark", "open", "liquidations")) and feature.name != "vpin_50":
            assert known.size > 0, feature.name


def close(values: Floats, expected: "Floats | list[float]") -> None:
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
