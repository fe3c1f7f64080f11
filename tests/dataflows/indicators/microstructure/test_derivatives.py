import numpy as np
import pytest

from dataflows.indicators.microstructure.batch import EventKind, new_batch, rows
from dataflows.kernels import Floats
from tests.dataflows.indicators.microstructure.events import Event, array_of, column, ticks, top

NOTHING = np.nan
TOP = top(0.1, 99.0, 1.0, 101.0, 1.0)


def mark(time: float, mark_price: float, index_price: float = NOTHING, funding_rate: float = NOTHING) -> Event:
    return EventKind.MARK, time, (mark_price, index_price, funding_rate)


def open_interest(time: float, amount: float) -> Event:
    return EventKind.OPEN_INTEREST, time, (amount,)


def liquidation(time: float, quantity: float, sign: int) -> Event:
    return EventKind.LIQUIDATION, time, (100.0, quantity, sign)


def values(events: list[Event], *times: float) -> Floats:
    return rows(array_of(sorted(events, key=lambda event: event[1])), ticks(*times))


def value(events: list[Event], time: float, name: str) -> float:
    return float(column(values(events, time), name)[0])


def test_basis_funding_and_the_distance_to_the_mark_are_in_basis_points_of_their_base() -> None:
    table = values([TOP, mark(0.2, 100.5, 100.0, 0.0001)], 1.0)
    assert column(table, "funding_rate")[0] == 0.0001
    assert column(table, "basis_bps")[0] == pytest.approx(50.0, rel=1e-12)
    assert column(table, "mark_deviation_bps")[0] == pytest.approx(-1e4 * 0.5 / 100.5, rel=1e-12)


@pytest.mark.parametrize(("index_price", "premium"), [(98, 1), (99, 0), (100, 0), (101, 0), (105, -4)])
def test_the_premium_counts_what_the_touch_is_beyond_the_index(index_price: float, premium: float) -> None:
    events = [TOP, mark(0.2, 100.0, index_price)]
    assert value(events, 1.0, "premium_bps") == pytest.approx(1e4 * premium / index_price, rel=1e-12)


def test_what_no_frame_has_said_is_not_valid() -> None:
    table = values([TOP, mark(0.2, 100.0)], 1.0)
    assert column(table, "mark_deviation_bps")[0] == 0.0
    for name in ("basis_bps", "premium_bps", "funding_rate", "open_interest_change_1m_bps", "liquidation_flow_60s"):
        assert np.isnan(column(table, name)[0]), name


def test_what_touches_the_best_prices_is_not_valid_without_them() -> None:
    table = values([mark(0.2, 100.0, 100.0)], 1.0)
    assert column(table, "basis_bps")[0] == 0.0
    assert np.isnan(column(table, "premium_bps")[0])
    assert np.isnan(column(table, "mark_deviation_bps")[0])


def test_a_frame_that_does_not_say_something_leaves_it_as_it_was_and_a_dead_stream_says_nothing() -> None:
    """COIN-M says mark and index price in streams of their own."""
    events = [TOP, mark(0.0, 100.0, 100.0, 0.0001), mark(30.0, 101.0)]
    basis = column(values(events, 31.0, 60.0, 60.1, 90.1), "basis_bps")
    assert basis[:2] == pytest.approx([100.0, 100.0], rel=1e-12)
    assert np.isnan(basis[2:]).all()
    assert np.isfinite(column(values(events, 60.1, 90.1), "mark_deviation_bps")).tolist() == [True, False]


def test_a_price_of_0_is_none() -> None:
    events = [TOP, mark(0.2, 100.0, 100.0), mark(0.3, 0.0, 0.0)]
    assert value(events, 1.0, "basis_bps") == value(events, 1.0, "mark_deviation_bps") == 0.0


def test_the_next_funding_is_kept_for_the_clocks() -> None:
    events = array_of([mark(0.0, 100.0), mark(1.0, 100.0)])
    events["next_funding_time_ns"] = [7, 0]
    state = new_batch()
    rows(events, ticks(), state)
    assert state["family"]["derivatives"]["next_funding_time_ns"][0] == 7


def test_open_interest_is_compared_at_steps_of_ten_seconds() -> None:
    events = [open_interest(time, 1000.0 + time) for time in range(5, 1000, 10)]
    table = values(events, 69.9, 70.0, 79.9, 915.0)
    one = column(table, "open_interest_change_1m_bps")
    assert np.isnan(one[0])
    assert one[1:] == pytest.approx([1e4 * 60 / 1005, 1e4 * 60 / 1005, 1e4 * 60 / 1845], rel=1e-9)
    assert column(table, "open_interest_change_5m_bps")[3] == pytest.approx(1e4 * 300 / 1605, rel=1e-9)
    assert column(table, "open_interest_change_15m_bps")[3] == pytest.approx(1e4 * 900 / 1005, rel=1e-9)


def test_open_interest_that_was_not_heard_of_for_five_minutes_is_unknown() -> None:
    events = [open_interest(5.0, 1000.0), TOP]
    change = column(values(events, 305.0, 309.9, 310.0), "open_interest_change_1m_bps")
    assert change[:2].tolist() == [0.0, 0.0]
    assert np.isnan(change[2])


def test_forced_orders_are_summed_by_their_side_over_whole_seconds() -> None:
    events = [TOP, liquidation(10.5, 3.0, 1), liquidation(50.0, 4.0, -1), liquidation(61.5, 8.0, 1)]
    flow = column(values(events, 61.0, 62.0, 71.0, 122.0), "liquidation_flow_60s")
    assert flow.tolist() == [-1.0, 7.0, 4.0, 0.0]
    long = column(values(events, 300.9, 301.0, 311.0), "liquidation_flow_300s")
    assert np.isnan(long[0])
    assert long[1:].tolist() == [7.0, 4.0]
