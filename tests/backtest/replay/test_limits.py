"""A run that cannot go on ends with an error that says why."""

import pytest

from backtest.replay import BUY, Backtest, Limits, calls, strategy
from sluice.errors import InputError
from tests.backtest.replay.feeds import MS, asset_of, make_feed

ROWS = make_feed(14, 1_000)


@strategy
def buy_often(view: int, asset: int, side: int) -> None:
    """Buy a lot at the market every 10 ms."""
    while calls.elapse(view, 10 * MS):
        calls.submit_market(view, asset, side, 1)


@pytest.mark.parametrize(("limits", "text"), [
    (Limits(orders=20), "orders of a run must fit its limits, were more than 20"),
    (Limits(fills=20), "fills of a run must fit its limits, were more than 20"),
    (Limits(messages=1), "messages on their way must fit the run's limits, were more than 1"),
])
def test_a_limit_that_is_reached_is_told(limits: Limits, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Backtest([asset_of(ROWS)], limits).run(buy_often, 0, BUY)


@pytest.mark.parametrize(("asset", "side"), [(1, BUY), (-1, BUY), (0, 0), (0, 2)])
def test_what_there_is_not_ends_the_run(asset: int, side: int) -> None:
    with pytest.raises(InputError, match="must name instruments, sides, trades and orders that there are"):
        Backtest([asset_of(ROWS)]).run(buy_often, asset, side)


@pytest.mark.parametrize("orders", [0, -1])
def test_limits_that_cannot_be_are_refused(orders: int) -> None:
    with pytest.raises(InputError, match="must be positive"):
        Limits(orders=orders)


def test_without_an_instrument_there_is_no_run() -> None:
    with pytest.raises(InputError, match="was without any"):
        Backtest([])
