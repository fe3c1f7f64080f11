"""What holds for any stream: cuts, snapshots, truncation, mirrored sides, silences, and features worked by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dataflows.indicators.light import LIGHT
from dataflows.indicators.microstructure import FEATURES, SECOND_CAPACITY
from dataflows.indicators.microstructure.batch import BATCH, EventKind, new_batch, rows
from dataflows.indicators.microstructure.observer import EVENTS_BEGIN
from dataflows.kernels import Floats, RecordArray
from sluice.errors import InputError
from tests.dataflows.indicators.microstructure.events import (
    NAMES,
    SECOND,
    START,
    Event,
    array_of,
    column,
    ticks,
    top,
    trade,
)


def made(seed: int, count: int = 3000, length: float = 400.0) -> RecordArray:
    """Return a random stream of every kind of event."""
    random = np.random.default_rng(seed)
    mid = 1000 + random.integers(-2, 3, count).cumsum() * 0.5
    kinds = random.choice(list(EventKind), count, p=[0.4, 0.1, 0.4, 0.04, 0.03, 0.03])
    times = np.sort(random.uniform(0, length, count)).round(3)
    quantities = random.integers(1, 50, (count, 2)) / 8
    sides = random.choice([-1.0, 1.0], count)
    events: list[Event] = []
    for at, kind in enumerate(kinds):
        numbers: tuple[float, ...] = (mid[at] + sides[at] * 0.5, quantities[at, 0], sides[at])
        if kind == EventKind.TOP:
            numbers = (mid[at] - 0.5, quantities[at, 0], mid[at] + 0.5, quantities[at, 1])
        elif kind == EventKind.LEVELS:
            numbers = (at % 7, at % 3)
        elif kind == EventKind.MARK:
            numbers = (mid[at] + 1, mid[at] - 1, 1e-4)
        elif kind == EventKind.OPEN_INTEREST:
            numbers = (5000 + quantities[at, 0],)
        events.append((EventKind(kind), float(times[at]), numbers))
    return array_of(events)


def whole_seconds(last: int = 400) -> NDArray[np.int64]:
    return START + np.arange(2, last, 7) * SECOND


@settings(max_examples=15)
@given(st.integers(0, 5), st.lists(st.integers(0, 3000), max_size=6))
def test_cuts_and_snapshots_anywhere_change_no_bit(seed: int, cuts: list[int]) -> None:
    events, times = made(seed), whole_seconds()
    once, parts = new_batch(), new_batch()
    expected = rows(events, times, once)
    got = []
    edges = sorted({0, *cuts, events.size})
    for start, stop in pairwise(edges):
        last = stop == events.size
        due = times[(times > (events["time_ns"][start - 1] if start else 0))
                    & (last | (times <= events["time_ns"][stop - 1]))]
        got.append(rows(events[start:stop], due, parts))
        parts = np.frombuffer(parts.tobytes(), BATCH).copy()
    assert np.concatenate(got).tobytes() == expected.tobytes()
    assert parts.tobytes() == once.tobytes()


@settings(max_examples=15)
@given(st.integers(0, 5), st.integers(1, 2999))
def test_what_comes_later_changes_nothing_before_it(seed: int, cut: int) -> None:
    events, times = made(seed), whole_seconds()
    before = times[times <= events["time_ns"][cut]]
    assert rows(events[:cut], before).tobytes() == rows(events, times)[: before.size].tobytes()


ANTISYMMETRIC = [
    feature.name for feature in FEATURES[EVENTS_BEGIN:]
    if "imbalance" in feature.name or feature.name.startswith(("cvd", "liquidation_flow"))
]


@pytest.mark.parametrize("seed", [0, 1])
def test_sides_exchanged_turn_the_sign_of_what_has_one_and_leave_the_rest(seed: int) -> None:
    """Prices are mirrored at 1000, far above their moves: what is relative to the price changes a little."""
    events, mirrored = made(seed), made(seed)
    numbers, kind = mirrored["numbers"], mirrored["kind"]
    tops, signed = kind == EventKind.TOP, np.isin(kind, [EventKind.TRADE, EventKind.LIQUIDATION])
    numbers[tops] = numbers[tops][:, [2, 3, 0, 1]]
    numbers[np.ix_(tops, [0, 2])] = 2000 - numbers[np.ix_(tops, [0, 2])]
    numbers[signed, 0] = 2000 - numbers[signed, 0]
    numbers[signed, 2] *= -1
    as_is, turned = rows(events, whole_seconds()), rows(mirrored, whole_seconds())
    assert len(ANTISYMMETRIC) == 14
    for name in ANTISYMMETRIC:
        np.testing.assert_allclose(column(turned, name), -column(as_is, name), rtol=1e-9, atol=1e-9)
    for name in ("kyle_lambda_60s", "vpin_50", "trade_rate_60s", "touch_change_rate_10s"):
        np.testing.assert_allclose(column(turned, name), column(as_is, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_values_lie_in_their_ranges_and_are_not_valid_before_their_windows_are_whole(seed: int) -> None:
    events = made(seed)
    first = int(events["time_ns"][0]) // SECOND + 1
    times = whole_seconds()
    table = rows(events, times)
    for feature, values in zip(FEATURES[EVENTS_BEGIN:], table.T[EVENTS_BEGIN:], strict=True):
        known = values[np.isfinite(values)]
        assert ((known >= feature.low) & (known <= feature.high)).all(), feature.name
        if feature.warm_up.clock.value == "seconds":
            warm = times // SECOND >= first + feature.warm_up.count
            assert np.isnan(values[times // SECOND < first + feature.warm_up.count - 10]).all(), feature.name
            assert np.isfinite(values[warm]).any() == warm.any(), feature.name


@pytest.mark.parametrize(("silence", "forgotten"), [(SECOND_CAPACITY - 1, False), (SECOND_CAPACITY, True)])
def test_a_silence_as_long_as_the_ring_begins_anew(silence: int, forgotten: bool) -> None:
    events = [top(0.5, 100, 5, 101, 7), trade(1.0, 101, 2, 1), top(1.5 + silence, 100, 6, 101, 7)]
    flow = column(rows(array_of(events), ticks(12.0 + silence)), "order_flow_imbalance_10s")[0]
    assert np.isnan(column(rows(array_of(events), ticks(3.0 + silence)), "trade_rate_60s")[0]) == forgotten
    assert np.isfinite(flow)


def test_no_event_and_no_tick_may_be_out_of_order() -> None:
    events = array_of([top(2.0, 100, 5, 101, 7), top(1.0, 100, 5, 101, 7)])
    with pytest.raises(InputError, match="events must be in the order"):
        rows(events, ticks(3.0))
    with pytest.raises(InputError, match="ticks must be in the order"):
        rows(events[:1], ticks(4.0, 3.0))


def spread_row(trades: list[Event]) -> Floats:
    """Return a row after whole minutes of a mid price of 100 that is 102 from 4 s on."""
    quotes = [top(0.1, 99, 1, 101, 1), top(4.0, 101, 1, 103, 1)]
    return rows(array_of(sorted([*quotes, *trades], key=lambda event: event[1])), ticks(68.5))


def test_spreads_worked_by_hand() -> None:
    """A buy of 3 at 101 and a sale of 1 at 99 before the price rises by 2; 20 s later a buy of 4 at 102."""
    table = spread_row([trade(3.2, 101, 3, 1), trade(3.4, 99, 1, -1), trade(24.0, 102, 4, 1)])
    assert column(table, "effective_spread_60s_bps")[0] == 0.0
    realised = 2e4 * (3 * (101 - 102) / 100 + 1 * (102 - 99) / 100 + 4 * 0) / 8
    effective = 2e4 * (3 * (101 - 100) / 100 + 1 * (100 - 99) / 100 + 4 * 0) / 8
    assert column(table, "realised_spread_60s_bps")[0] == pytest.approx(realised, abs=1e-9)
    assert column(table, "price_impact_60s_bps")[0] == pytest.approx(effective - realised, rel=1e-12)


def test_a_trade_at_an_unknown_price_of_the_market_leaves_its_spread_unknown_while_it_is_in_the_window() -> None:
    unknown = top(30.0, np.nan, np.nan, np.nan, np.nan)
    events = [top(0.1, 99, 1, 101, 1), unknown, trade(30.5, 101, 1, 1), top(31.0, 99, 1, 101, 1), trade(40, 101, 1, 1)]
    spread = column(rows(array_of(events), ticks(90.9, 91.0)), "effective_spread_60s_bps")
    assert np.isnan(spread[0])
    assert spread[1] == pytest.approx(200.0)


def test_closing_prices_that_go_to_and_fro_are_rolls_spread_and_a_trend_is_none() -> None:
    """Changes +1, -1, +1, -1: the mean product is -1, the means of the pairs are -1/3 and 1/3."""
    quote = top(0.1, 99, 1, 101, 1)
    fro = [quote, *(trade(2.0 + number, 100 + number % 2, 1, 1) for number in range(5))]
    trend = [quote, *(trade(2.0 + number, 100 + number * number, 1, 1) for number in range(5))]
    assert column(rows(array_of(fro), ticks(61.0)), "roll_spread_60s_bps")[0] == pytest.approx(
        1e4 * 2 * np.sqrt(8 / 9) / 100, rel=1e-12)
    assert np.isnan(column(rows(array_of(trend), ticks(61.0)), "roll_spread_60s_bps")[0])


def test_without_trades_nothing_is_said_of_what_trades_do_to_the_price() -> None:
    table = rows(array_of([top(0.1, 99, 1, 101, 1), top(20, 99, 1, 102, 1)]), ticks(80.0))
    for name in ("kyle_lambda_60s", "amihud_illiquidity_60s", "roll_spread_60s_bps", "effective_spread_60s_bps",
                 "realised_spread_60s_bps", "price_impact_60s_bps"):
        assert np.isnan(column(table, name)[0]), name


def test_a_line_through_equal_volumes_is_none() -> None:
    events = [top(0.1, 99, 1, 101, 1), *(trade(0.5 + second, 101, 0.1, 1) for second in range(70))]
    assert np.isnan(column(rows(array_of(events), ticks(70.0)), "kyle_lambda_60s")[0])


def test_names_are_those_of_no_other_feature_of_a_tick() -> None:
    assert len({*NAMES, *(feature.name for feature in LIGHT)}) == len(NAMES) + len(LIGHT)


@pytest.mark.parametrize("quantity", [1e6, 1e300, 1e308])
def test_one_huge_trade_does_not_stop_the_volume_clock_for_ever(quantity: float) -> None:
    """The bucket that opens after it would take longer than anyone waits."""
    events = [top(0.0, 90.9, 1.0, 91.0, 1.0)]
    for second in range(1, 1_500):
        events += [trade(second + 0.1, 91.0, 1.0, 1), trade(second + 0.2, 90.9, 1.0, -1)]
        if second in (700, 701):
            events.append(trade(second + 0.3, 91.0, quantity, 1))
    before, after = column(rows(array_of(events), ticks(690.0, 1_500.0)), "vpin_50")
    assert np.isfinite(before)
    assert after == pytest.approx(before, abs=0.02)
