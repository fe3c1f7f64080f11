import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.indicators import windows
from dataflows.indicators.windows import LONGEST_WINDOW, NANOSECONDS, WINDOWS
from dataflows.kernels import Floats, RecordArray, kernel

START = 1_700_000_000 * NANOSECONDS


@kernel
def go(state: RecordArray, time_ns: int, mid: float) -> None:
    windows.advance(state[0], time_ns, mid)


@kernel
def trade(state: RecordArray, quantity: float) -> None:
    windows.add_trade(state[0], quantity)


@kernel
def read(state: RecordArray, seconds: int, out: Floats) -> bool:
    out[0], out[1], out[2] = windows.flow(state[0], seconds)
    out[3] = windows.log_return_bps(state[0], seconds)
    out[4] = windows.realised_volatility_bps(state[0], seconds)
    return windows.has_seconds(state[0], seconds)


@given(
    st.lists(st.tuples(st.integers(0, 4_000_000_000), st.floats(-5, 5).filter(bool), st.floats(90, 110)),
             min_size=1, max_size=120),
    st.sampled_from([1, 5, 10, 30, LONGEST_WINDOW]),
)
def test_windows_are_what_numpy_says_of_the_whole_history(
    moves: list[tuple[int, float, float]], seconds: int,
) -> None:
    """Trades come at any time; the mid price changes with each. The judge keeps everything and cuts afterwards."""
    state = np.zeros(1, WINDOWS)
    time, mid = START, np.nan
    times, quantities, mids = [], [], []
    for wait, quantity, price in moves:
        time += wait
        go(state, time, mid)
        trade(state, quantity)
        mid = price
        times.append(time)
        quantities.append(quantity)
        mids.append(price)
    time += NANOSECONDS
    go(state, time, mid)
    out = np.empty(5)
    warm = read(state, seconds, out)
    end = time // NANOSECONDS
    assert warm == (end - seconds >= times[0] // NANOSECONDS + 1)
    if not warm:
        return
    second = np.array(times) // NANOSECONDS
    inside = (second >= end - seconds) & (second < end)
    signed = np.array(quantities)[inside]
    np.testing.assert_allclose(out[0], signed[signed > 0].sum(), rtol=1e-12)
    np.testing.assert_allclose(out[1], -signed[signed < 0].sum(), rtol=1e-12)
    assert out[2] == inside.sum()
    at = np.searchsorted(np.array(times), np.arange(end - seconds, end + 1) * NANOSECONDS, side="left") - 1
    sampled = np.log(np.array(mids)[at])
    np.testing.assert_allclose(out[3], 1e4 * (sampled[-1] - sampled[0]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(out[4], 1e4 * np.sqrt((np.diff(sampled) ** 2).sum()), rtol=1e-9, atol=1e-9)


def test_an_unknown_mid_price_makes_what_rests_on_it_unknown_and_nothing_else() -> None:
    state, out = np.zeros(1, WINDOWS), np.empty(5)
    for second in range(20):
        go(state, START + second * NANOSECONDS, np.nan if second == 10 else 100.0)
    read(state, 5, out)
    assert out[3:].tolist() == [0.0, 0.0]
    read(state, 9, out)
    assert np.isnan(out[3:]).all()
    read(state, 10, out)
    assert out[3] == 0.0
    assert np.isnan(out[4])


@pytest.mark.parametrize("silence", [63, 64, 65, 1000, 10**9])
def test_a_long_silence_empties_the_trades_and_keeps_the_price(silence: int) -> None:
    state, out = np.zeros(1, WINDOWS), np.empty(5)
    go(state, START, np.nan)
    trade(state, 5.0)
    go(state, START + silence * NANOSECONDS, 100.0)
    assert read(state, LONGEST_WINDOW, out)
    assert out.tolist() == [0.0, 0.0, 0.0, 0.0, 0.0]
