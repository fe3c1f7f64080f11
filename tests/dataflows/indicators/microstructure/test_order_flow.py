import numpy as np
import pytest

from dataflows.indicators.microstructure.batch import rows
from tests.dataflows.indicators.microstructure.events import Event, array_of, column, ticks, top


def order_flow(events: list[Event], end: float, name: str = "order_flow_imbalance_1s") -> float:
    return float(column(rows(array_of(events), ticks(end)), name)[0])


@pytest.mark.parametrize(
    ("after", "added"),
    [
        # The six cases of Cont, Kukanov and Stoikov: of the bid, then of the ask; from 100 x 5 and 101 x 7.
        ((100, 8, 101, 7), 3.0),     # the bid's quantity grows by 3
        ((100, 1, 101, 7), -4.0),    # it shrinks by 4
        ((100.5, 2, 101, 7), 2.0),   # the bid rises: all of the new quantity
        ((99.5, 9, 101, 7), -5.0),   # the bid falls: all of the old quantity is gone
        ((100, 5, 101, 10), -3.0),   # the ask's quantity grows by 3
        ((100, 5, 101, 1), 6.0),     # it shrinks by 6
        ((100, 5, 100.5, 2), -2.0),  # the ask falls: all of the new quantity
        ((100, 5, 102, 9), 7.0),     # the ask rises: all of the old quantity is gone
        ((102, 4, 103, 6), 11.0),    # both rise: the new bid and the old ask
    ],
)
def test_a_change_of_the_touch_adds_what_the_paper_says(
    after: tuple[float, float, float, float], added: float,
) -> None:
    assert order_flow([top(0.5, 100, 5, 101, 7), top(1.5, *after)], 2.0) == added


def test_a_window_holds_whole_seconds_and_is_divided_by_the_mean_depth_of_a_minute() -> None:
    events = [top(0.5, 100, 5, 101, 7), top(1.0, 100, 6, 101, 7), top(59.9, 100, 8, 101, 7), top(61.2, 100, 9, 101, 7)]
    assert order_flow(events, 61.5, "order_flow_imbalance_60s") == 3.0
    assert order_flow(events, 61.5) == 0.0
    assert order_flow(events, 62.0) == 1.0
    depth = ((6 + 7) / 2 + (8 + 7) / 2) / 2
    assert order_flow(events, 61.5, "order_flow_imbalance_60s_per_depth") == pytest.approx(3.0 / depth, rel=1e-12)


def test_the_same_prices_again_are_no_change() -> None:
    events = [top(0.5, 100, 5, 101, 7), top(1.1, 100, 5, 101, 7), top(1.2, 100, 5, 101, 8)]
    table = rows(array_of(events), ticks(11.0))
    assert column(table, "touch_change_rate_10s")[0] == pytest.approx(0.1)


def test_a_touch_that_was_unknown_for_a_while_leaves_the_windows_that_hold_it_unknown() -> None:
    unknown = (np.nan, np.nan, np.nan, np.nan)
    events = [top(0.5, 100, 5, 101, 7), top(2.5, *unknown), top(4.5, 100, 6, 101, 7), top(6.5, 100, 9, 101, 7)]
    known = [np.isfinite(order_flow(events, end)) for end in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0)]
    assert known == [True, False, False, False, True, True]
    assert np.isnan(order_flow(events, 13.0, "order_flow_imbalance_10s"))
    assert order_flow(events, 15.0, "order_flow_imbalance_10s") == 3.0
