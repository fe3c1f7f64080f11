import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.indicators.microstructure import volume_buckets
from dataflows.indicators.microstructure.volume_buckets import BUCKET_COUNT, VOLUME_BUCKETS
from dataflows.kernels import Floats, RecordArray, kernel


@kernel
def trade(state: RecordArray, quantity: float, sign: float, values: Floats) -> None:
    volume_buckets.on_trade(state[0], quantity, sign)
    volume_buckets.fill(state[0], values)


def buckets_of(size: float) -> RecordArray:
    """Return buckets of one size, as where every minute is like the last."""
    state = np.zeros(1, VOLUME_BUCKETS)
    state["next_size"] = size
    return state


def after(state: RecordArray, trades: list[tuple[float, int]]) -> float:
    values = np.empty(1)
    for quantity, sign in trades:
        trade(state, quantity, float(sign), values)
    return float(values[0])


def test_a_trade_that_does_not_fit_is_split_as_in_the_paper() -> None:
    """Each pair of trades fills two buckets of 10: (8 bought, 2 sold) and (10 sold)."""
    state = buckets_of(10.0)
    assert np.isnan(after(state, [(8.0, 1), (12.0, -1)] * (BUCKET_COUNT // 2 - 1)))
    assert np.isnan(after(state, [(8.0, 1), (11.5, -1)]))
    assert after(state, [(0.5, -1)]) == pytest.approx((6 + 10) / 20, rel=1e-12)


@pytest.mark.parametrize(("sides", "expected"), [((1, 1), 1.0), ((-1, -1), 1.0), ((1, -1), 0.0)])
def test_one_sided_volume_is_1_and_balanced_volume_0(sides: tuple[int, int], expected: float) -> None:
    assert after(buckets_of(2.0), [(1.0, sides[0]), (1.0, sides[1])] * BUCKET_COUNT) == expected


def test_no_bucket_opens_while_no_size_is_known() -> None:
    state = buckets_of(0.0)
    assert np.isnan(after(state, [(5.0, 1)] * 500))
    assert state["closed"][0] == 0


@pytest.mark.parametrize("quantity", [1e6, 1e18, 1e300])
def test_a_trade_of_any_size_is_one_sided_volume_and_takes_no_longer(quantity: float) -> None:
    state = buckets_of(1e-3)
    assert after(state, [(quantity, -1)]) == 1.0
    assert state["closed"][0] <= BUCKET_COUNT + 1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from([1, -1])), min_size=60, max_size=200))
def test_any_trades_are_what_single_lots_one_after_another_say(trades: list[tuple[int, int]]) -> None:
    size = 8
    lots = np.repeat([sign for _, sign in trades], [quantity for quantity, _ in trades])
    imbalances = abs(lots[: lots.size // size * size].reshape(-1, size).sum(axis=1))
    said = after(buckets_of(float(size)), [(float(quantity), sign) for quantity, sign in trades])
    if imbalances.size < BUCKET_COUNT:
        assert np.isnan(said)
    else:
        assert said == pytest.approx(imbalances[-BUCKET_COUNT:].sum() / (BUCKET_COUNT * size), rel=1e-12)
