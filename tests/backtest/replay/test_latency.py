"""An order acts at the exchange a latency after it was sent, and its answer is seen a latency after that; no sooner."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.matching.state import OutputKind
from backtest.replay import BUY, SELL, Backtest, BacktestResult, OrderLatency, PythonStrategy, calls, run_strategy
from backtest.replay.objects import Account, OrderUpdate
from dataflows.tapes.rows import DEPTH_EVENT, TRADE_EVENT
from sluice.errors import InputError
from tests.backtest.replay.feeds import MS, START_NS, asset_of, quiet_book, rows_of

QUIET = rows_of(*quiet_book(400))


class Bids(PythonStrategy):
    """Bids at every timer, up to a number of times, and notes the answers."""

    def __init__(self, timer_ns: int, times: int = 1) -> None:
        self.timer_ns, self.left = timer_ns, times
        self.seen: list[tuple[int, OrderUpdate]] = []

    def on_timer(self, account: Account) -> None:
        if self.left:
            self.left -= 1
            account.submit(0, BUY, 1, account.best_bid() - 5)
        if not self.left:
            self.timer_ns = 3_600_000 * MS

    def on_order(self, account: Account, asset: int, update: OrderUpdate) -> None:
        self.seen.append((account.now_ns, update))


def run(strategy: PythonStrategy, latency: OrderLatency) -> BacktestResult:
    return run_strategy(Backtest([asset_of(QUIET, latency)]), strategy)


@settings(max_examples=40)
@given(sent_ns=st.integers(2 * MS, 200 * MS), entry_ns=st.integers(0, 80 * MS), back_ns=st.integers(0, 80 * MS))
def test_an_order_acts_and_is_answered_to_the_nanosecond(sent_ns: int, entry_ns: int, back_ns: int) -> None:
    strategy = Bids(sent_ns)
    result = run(strategy, OrderLatency.constant(entry_ns, back_ns))
    (at_ns, update), order = strategy.seen[0], result.orders[0]
    assert OutputKind(update.kind) is OutputKind.ACCEPTED
    assert order["request_ns"] == START_NS + sent_ns
    assert update.exchange_ns == START_NS + sent_ns + entry_ns
    assert at_ns == update.local_ns == START_NS + sent_ns + entry_ns + back_ns


def test_recorded_latency_is_interpolated_by_the_time_of_sending() -> None:
    sent, there, back = (np.array(times) * MS for times in ([0, 50, 100], [10, 30, 20], [4, 8, 2]))
    strategy = Bids(20 * MS, times=4)
    run(strategy, OrderLatency.recorded(START_NS + sent, START_NS + sent + there, START_NS + sent + there + back))
    requests = 20 * MS * np.arange(1, 5)
    arrivals = requests + np.interp(requests, sent, there)
    answers = arrivals + np.interp(arrivals, sent + there, back)
    seen = [(update.exchange_ns - START_NS, at_ns - START_NS) for at_ns, update in strategy.seen]
    assert seen == [pytest.approx(pair, abs=2) for pair in zip(arrivals, answers, strict=True)]


class Resting(PythonStrategy):
    """Bids at the touch at a moment."""

    timer_ns = 10 * MS

    def __init__(self) -> None:
        self.order = 0

    def on_timer(self, account: Account) -> None:
        if not self.order:
            self.order = account.submit(0, BUY, 1, 599_990)


@pytest.mark.parametrize(("trade_ms", "fills"), [(14.9, 0), (15.1, 1)])
def test_only_a_trade_after_the_arrival_fills(trade_ms: float, fills: int) -> None:
    lines = [*quiet_book(40), (trade_ms, TRADE_EVENT, SELL, 599_989, 5)]
    result = run_strategy(Backtest([asset_of(rows_of(*sorted(lines, key=lambda line: line[0])))]), Resting())
    assert result.assets[0].fills == fills
    if fills:
        assert result.fills[0]["exchange_ns"] == START_NS + int(trade_ms * MS)
        assert result.fills[0]["local_ns"] == START_NS + int(trade_ms * MS) + 5 * MS


def test_the_book_is_seen_when_it_is_received() -> None:
    rows = rows_of(
        (0, DEPTH_EVENT, 1, 599_990, 5), (0, DEPTH_EVENT, -1, 600_010, 5), (10, DEPTH_EVENT, 1, 599_995, 5),
        (30, DEPTH_EVENT, 1, 599_000, 5), latency_ms=3)
    backtest = Backtest([asset_of(rows)])
    view = backtest.view.address
    calls.elapse(view, 13 * MS - 1)
    assert calls.best_bid(view, 0) == 599_990
    calls.elapse(view, 1)
    assert calls.best_bid(view, 0) == 599_995


@pytest.mark.parametrize(("entry_ns", "back_ns"), [(-1, 0), (0, -1)])
def test_a_latency_below_zero_is_refused(entry_ns: int, back_ns: int) -> None:
    with pytest.raises(InputError, match="must be 0 ns or more"):
        OrderLatency.constant(entry_ns, back_ns)


def test_samples_that_cannot_be_are_refused() -> None:
    times = np.array([1, 2, 3])
    for columns in ((times, times[:2], times), (times[::-1], times, times), (times, times - 1, times)):
        with pytest.raises(InputError, match="latency sample"):
            OrderLatency.recorded(*columns)
