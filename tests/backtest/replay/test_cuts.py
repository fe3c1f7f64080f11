"""How a strategy divides its waiting changes nothing that happens at the exchange."""

import numpy as np
import pytest

from backtest.replay import BUY, ENDED, SELL, Backtest, BacktestResult, calls, strategy
from tests.backtest.replay.feeds import MS, asset_of, make_feed

ROWS = make_feed(8, 3_000)
SCHEDULE_NS = 100 * MS


@strategy
def _act(view: int, number: int) -> None:
    """Send what a schedule says: orders at prices that do not depend on what is known."""
    side = BUY if number % 2 else SELL
    calls.submit_limit(view, 0, side, 600_000 - side * (number % 7 - 2), 3 + number % 11)
    if number > 3:
        calls.cancel(view, number - 3)


@strategy
def in_steps(view: int, step_ns: int) -> None:
    """Act each 100 ms, going there in steps."""
    number = 0
    while True:
        for _ in range(SCHEDULE_NS // step_ns):
            if not calls.elapse(view, step_ns):
                return
        number += 1
        _act(view, number)


@strategy
def from_row_to_row(view: int, responses: bool, feed: int) -> None:
    """Act each 100 ms, stopping at every row that is received, or answer."""
    number, next_ns = 0, calls.now_ns(view) + SCHEDULE_NS
    while calls.wait_next_feed(view, next_ns - calls.now_ns(view), responses, feed) != ENDED:
        if calls.now_ns(view) == next_ns:
            number += 1
            next_ns += SCHEDULE_NS
            _act(view, number)


def told(result: BacktestResult) -> tuple[list[object], list[object]]:
    """Return the fills, and the orders without their numbers of the moment."""
    return result.fills.tolist(), result.orders[["side", "price_ticks", "remaining_lots", "status"]].tolist()


@pytest.fixture(scope="module")
def whole() -> BacktestResult:
    return Backtest([asset_of(ROWS)]).run(in_steps, SCHEDULE_NS)


def test_the_schedule_trades(whole: BacktestResult) -> None:
    assert whole.assets[0].fills > 20
    assert 0 < whole.assets[0].maker_fills < whole.assets[0].fills


@pytest.mark.parametrize("step_ms", [1, 5, 20, 50])
def test_steps_do_not_matter(whole: BacktestResult, step_ms: int) -> None:
    assert told(Backtest([asset_of(ROWS)]).run(in_steps, step_ms * MS)) == told(whole)


@pytest.mark.parametrize("responses", [False, True])
@pytest.mark.parametrize("feed", [1, 2, 3])
def test_stopping_at_rows_and_answers_does_not_matter(whole: BacktestResult, responses: bool, feed: int) -> None:
    assert told(Backtest([asset_of(ROWS)]).run(from_row_to_row, responses, feed)) == told(whole)


def test_a_second_instrument_does_not_matter(whole: BacktestResult) -> None:
    other = make_feed(9, 2_000)
    both = Backtest([asset_of(ROWS), asset_of(other)]).run(in_steps, SCHEDULE_NS)
    count = min(len(whole.fills), int((both.fills["asset"] == 0).sum()))
    mine = both.fills[both.fills["asset"] == 0]
    assert count > 20
    for name in ("order_id", "price_ticks", "lots", "exchange_ns", "local_ns"):
        assert np.array_equal(mine[name][:count], whole.fills[name][:count])


def test_the_same_run_gives_the_same_bytes(whole: BacktestResult) -> None:
    again = Backtest([asset_of(ROWS)]).run(in_steps, SCHEDULE_NS)
    assert again.fills.tobytes() == whole.fills.tobytes()
    assert again.curve.tobytes() == whole.curve.tobytes()
