"""Axes: round ticks inside their range, labels that tell them apart."""

from hypothesis import given
from hypothesis import strategies as st

from backtest.report.charts import thinned
from backtest.report.scales import Scale, scale_of, span, time_labels, time_ticks, utc, value_labels, value_ticks

S = 1_000_000_000
values = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(values, min_size=1, max_size=30))
def test_every_value_lies_inside_its_scale_and_ticks_too(found: list[float]) -> None:
    scale = scale_of(found)
    ticks = value_ticks(scale)

    assert all(0.0 <= scale.at(value) <= 1.0 for value in found)
    assert all(-1e-6 <= scale.at(tick) <= 1 + 1e-6 for tick in ticks)
    assert len(ticks) <= 6
    assert len(set(value_labels(ticks))) == len(ticks)


def test_value_labels_have_the_decimals_of_their_step() -> None:
    assert value_labels([99_990.0, 99_995.0, 100_000.0]) == ["99,990", "99,995", "100,000"]
    assert value_labels([-0.01, 0.0, 0.01]) == ["\N{MINUS SIGN}0.01", "0.00", "0.01"]
    assert value_labels([2.5]) == ["2.5"]


@given(st.integers(0, 2 * 10**18), st.integers(1, 400 * 86400))
def test_time_ticks_are_few_round_and_inside(start: int, seconds: int) -> None:
    ticks = time_ticks(Scale(start, start + seconds * S))

    assert all(start <= tick + 1000 and tick - 1000 <= start + seconds * S for tick in ticks)
    assert all(tick % S == 0 for tick in ticks)
    assert len(ticks) <= 7
    assert len(time_labels(ticks)) == len(ticks)


def test_times_are_told_in_utc() -> None:
    assert utc(1_723_161_599_123_000_000) == "2024-08-08 23:59:59.123 UTC"
    assert time_labels([1_723_161_540 * S, 1_723_161_600 * S]) == ["23:59", "00:00"]
    assert [span(s * S) for s in (7, 344, 7199, 100_000)] == ["7 s", "5 min 44 s", "1 h 59 min", "1 d 03 h"]


@given(st.lists(values, min_size=1, max_size=3000), st.integers(4, 400))
def test_thinning_keeps_ends_and_extremes(found: list[float], most: int) -> None:
    points = list(enumerate(found))

    kept = thinned(points, most)

    assert len(kept) <= most + 4
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(v for _, v in kept), max(v for _, v in kept)} == {min(found), max(found)}
    assert [time for time, _ in kept] == sorted(time for time, _ in kept)
