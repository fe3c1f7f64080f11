import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.indicators import session
from dataflows.indicators.session import FEATURES
from dataflows.kernels import Floats, kernel

SECOND = 1_000_000_000
AT = {feature.name: column for column, feature in enumerate(FEATURES)}


@kernel
def read(tick_time_ns: int, next_funding_time_ns: int, values: Floats) -> None:
    session.fill(tick_time_ns, next_funding_time_ns, values)


def row(moment: datetime, funding: datetime | None = None) -> Floats:
    values = np.empty(len(FEATURES))
    read(nanoseconds(moment), 0 if funding is None else nanoseconds(funding), values)
    return values


def nanoseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the zone is given beside them


@given(moments)
def test_day_and_week_are_those_of_the_calendar(moment: datetime) -> None:
    values = row(moment)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    day = (moment - midnight) / timedelta(days=1)
    week = (moment - midnight + timedelta(days=moment.weekday())) / timedelta(days=7)
    expected = [math.sin(2 * math.pi * day), math.cos(2 * math.pi * day),
                math.sin(2 * math.pi * week), math.cos(2 * math.pi * week), day]
    np.testing.assert_allclose(values[:5], expected, rtol=1e-9, atol=1e-12)
    for feature, value in zip(FEATURES[:5], values[:5], strict=True):
        assert feature.low <= value <= feature.high


def test_six_on_a_monday_is_a_quarter_of_the_day_and_a_twenty_eighth_of_the_week() -> None:
    values = row(datetime(2024, 8, 5, 6, tzinfo=UTC))
    assert values[AT["hour_of_day_sine"]] == 1.0
    assert values[AT["hour_of_day_cosine"]] == pytest.approx(0.0, abs=1e-15)
    assert values[AT["day_of_week_sine"]] == pytest.approx(math.sin(2 * math.pi / 28), rel=1e-12)
    assert values[AT["fraction_of_day"]] == 0.25


def test_the_moment_before_midnight_is_next_to_midnight() -> None:
    midnight = datetime(2024, 8, 5, tzinfo=UTC)
    np.testing.assert_allclose(row(midnight - timedelta(microseconds=1))[:4], row(midnight)[:4], atol=1e-9)


@given(moments, st.integers(-10**6, 10**6))
def test_funding_is_counted_down_to_its_moment_and_not_known_after_it(moment: datetime, seconds: int) -> None:
    left = row(moment + timedelta(days=30), moment + timedelta(days=30, seconds=seconds))[AT["minutes_to_funding"]]
    if seconds < 0:
        assert math.isnan(left)
    else:
        assert left == seconds / 60


def test_without_a_funding_time_the_countdown_is_not_known_and_the_rest_is() -> None:
    values = row(datetime(2024, 8, 5, 6, tzinfo=UTC))
    assert np.isnan(values).tolist() == [name == "minutes_to_funding" for name in AT]
