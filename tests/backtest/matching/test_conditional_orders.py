"""Conditional orders: what fires them, at which price exactly, and what they become."""

import pytest

from backtest.matching.state import Reason
from sluice.orders import OrderType, PositionSide
from tests.backtest.matching.bare import BUY, SELL, Bare

STOP, STOP_MARKET = OrderType.STOP, OrderType.STOP_MARKET
TAKE_PROFIT_MARKET, TRAILING = OrderType.TAKE_PROFIT_MARKET, OrderType.TRAILING_STOP_MARKET


def a_market() -> Bare:
    market = Bare()
    market.level(BUY, 1000, 50)
    market.level(SELL, 1001, 50)
    market.trade(BUY, 1001, 1)
    market.mark(1000.5)
    return market


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "short_of", "reaches"),
    [(STOP_MARKET, BUY, 1005, 1004, 1005), (STOP_MARKET, SELL, 995, 996, 995),
     (TAKE_PROFIT_MARKET, BUY, 995, 996, 995), (TAKE_PROFIT_MARKET, SELL, 1005, 1004, 1005)],
)
@pytest.mark.parametrize("by_mark", [False, True])
def test_an_order_fires_at_its_trigger_and_not_before(
    kind: OrderType, side: int, trigger: int, short_of: int, reaches: int, by_mark: bool,
) -> None:
    market = a_market()
    assert market.wait(7, kind, side, 2, trigger, by_mark=by_mark) is Reason.NONE
    say = market.mark if by_mark else lambda price: market.trade(BUY, int(price), 1)
    other = (lambda price: market.trade(BUY, int(price), 1)) if by_mark else market.mark

    say(short_of)
    other(reaches)
    assert [kind for _, kind, *_ in market.told] == ["ACCEPTED"]
    say(reaches)

    best = 1001 if side == BUY else 1000
    assert market.told == [(7, "TRIGGERED", 0, 0), (7, "ACCEPTED", 0, 0), (7, "FILL", best, 2)]


def test_a_stop_that_would_fire_at_once_is_refused() -> None:
    market = a_market()

    assert market.wait(1, STOP_MARKET, BUY, 1, 1001) is Reason.WOULD_TRIGGER
    assert market.wait(1, STOP_MARKET, SELL, 1, 1001) is Reason.WOULD_TRIGGER
    assert market.wait(1, STOP_MARKET, BUY, 1, 1001, by_mark=True) is Reason.NONE


def test_a_stop_limit_comes_to_rest_at_its_price() -> None:
    market = a_market()
    market.wait(1, STOP, BUY, 2, 1005, price=999)

    market.trade(BUY, 1005, 1)

    assert market.told[1:] == [(1, "TRIGGERED", 999, 0), (1, "ACCEPTED", 999, 0)]
    assert market.ahead(1) == 0.0


def test_a_trailing_sell_follows_the_highest_price_and_fires_exactly_at_its_callback() -> None:
    market = a_market()
    market.wait(1, TRAILING, SELL, 2, 0, activation=1010, callback=10_000)  # 1 %

    for price in (1009, 1010, 1100, 1090):
        market.trade(BUY, price, 1)
    assert [kind for _, kind, *_ in market.told] == ["ACCEPTED", "ACTIVATED"]
    market.trade(BUY, 1089, 1)  # 1100 * 0.99

    assert [kind for _, kind, *_ in market.told] == ["TRIGGERED", "ACCEPTED", "FILL"]


def test_a_trailing_buy_fires_by_the_mark_between_ticks() -> None:
    market = a_market()
    market.wait(1, TRAILING, BUY, 2, 0, callback=1_000, by_mark=True)  # 0.1 %, active at once at 1000.5

    for price in (900.0, 900.8999):
        market.mark(price)
    assert [kind for _, kind, *_ in market.told] == ["ACCEPTED"]
    market.mark(900.9)

    assert [kind for _, kind, *_ in market.told] == ["TRIGGERED", "ACCEPTED", "FILL"]


def test_close_position_closes_what_there_is_then_and_expires_where_nothing_is() -> None:
    market = a_market()
    market.submit(1, BUY, 3)
    market.wait(2, STOP_MARKET, SELL, 0, 990, close=True)
    market.wait(3, STOP_MARKET, SELL, 0, 989, close=True)
    market.told  # noqa: B018  # looking clears

    market.trade(SELL, 989, 1)

    assert market.told == [
        (2, "TRIGGERED", 0, 0), (2, "ACCEPTED", 0, 0), (2, "FILL", 1000, 3),
        (3, "TRIGGERED", 0, 0), (3, "EXPIRED", 0, 0)]


def test_hedged_positions_are_apart_and_selling_long_only_reduces() -> None:
    market = a_market()
    market.submit(1, BUY, 3, position=PositionSide.LONG)
    market.submit(2, SELL, 2, position=PositionSide.SHORT)

    assert (int(market.owner.core["position_long"]), int(market.owner.core["position_short"])) == (3, -2)
    market.submit(3, SELL, 9, position=PositionSide.LONG)
    assert market.fills[-1] == (3, 1000, 3)
    assert market.submit(4, SELL, 1, position=PositionSide.LONG) is Reason.REDUCE_ONLY
    assert (int(market.owner.core["position_long"]), int(market.owner.core["position_short"])) == (0, -2)
