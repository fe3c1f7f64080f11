"""Nothing is known before it is received: what comes later changes nothing that was done before."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.replay import Backtest, BacktestResult
from benchmarks.quoting import quote_touch
from tests.backtest.replay.feeds import asset_of, make_feed

ROWS = make_feed(5, 4_000)
WHOLE = Backtest([asset_of(ROWS)]).run(quote_touch)
COLUMNS = ("request_ns", "side", "price_ticks", "lots")


def decisions(result: BacktestResult, before_ns: int) -> list[tuple[int, ...]]:
    """Return what was sent before a time."""
    orders = result.orders[result.orders["request_ns"] < before_ns]
    return [tuple(int(order[name]) for name in COLUMNS) for order in orders]


def test_the_run_trades() -> None:
    assert WHOLE.assets[0].orders > 50
    assert WHOLE.assets[0].fills > 20


@settings(max_examples=30)
@given(cut=st.integers(1_000, len(ROWS) - 1))
def test_a_run_without_the_future_decides_the_same(cut: int) -> None:
    before_ns = int(ROWS["exch_ts"][cut - 1])
    result = Backtest([asset_of(ROWS[:cut].copy())]).run(quote_touch)
    assert decisions(result, before_ns) == decisions(WHOLE, before_ns)


@settings(max_examples=30)
@given(cut=st.integers(1_000, len(ROWS) - 1), seed=st.integers(0, 1_000))
def test_another_future_changes_nothing_before_it(cut: int, seed: int) -> None:
    rows = ROWS.copy()
    lots = np.random.default_rng(seed).integers(1, 100, len(rows) - cut)
    rows["qty"][cut:] = lots * 0.001
    before_ns = int(ROWS["exch_ts"][cut])
    assert decisions(Backtest([asset_of(rows)]).run(quote_touch), before_ns) == decisions(WHOLE, before_ns)
