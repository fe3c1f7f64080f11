"""Conditional orders: what fires them, what they become, and each step that ALGO_UPDATE tells."""

from typing import Any

import pytest

from backtest.exchange.core import AlgoOrder, ExchangeError
from sluice.orders import OrderType, PositionSide, Side, TriggerPrice
from tests.backtest.exchange.core.worlds import BUY, GTC, GTD, SELL, START_MS, D, World, ticket

STOP, STOP_MARKET = OrderType.STOP, OrderType.STOP_MARKET
TAKE_PROFIT_MARKET, TRAILING = OrderType.TAKE_PROFIT_MARKET, OrderType.TRAILING_STOP_MARKET


def place(world: World, side: Side, quantity: str | None, trigger: str | None, **more: Any) -> AlgoOrder:
    fields: dict[str, Any] = {"type": STOP_MARKET, "time_in_force": None, **more}
    price = fields.pop("price", None)
    return world.exchange.place_algo(
        "ann", ticket(side, quantity, price, stop_price=None if trigger is None else D(trigger), **fields))


def statuses(world: World) -> list[str]:
    return [event["o"]["X"] for event in world.heard("ALGO_UPDATE")]


def now(world: World, algo: AlgoOrder) -> AlgoOrder:
    return world.exchange.algo_order("ann", algo.algo_id, None)


def a_world(**more: Any) -> World:
    world = World(**more)
    world.trade("1000.0")
    world.events.clear()
    return world


def test_stop_fires_on_the_last_price_and_becomes_a_market_order() -> None:
    world = a_world()
    algo = place(world, BUY, "1", "1000.5")

    world.mark("1001.0")
    world.trade("1000.4")
    assert now(world, algo).status == "NEW"
    world.trade("1000.5")

    done = now(world, algo)
    assert statuses(world) == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    assert (done.status, done.actual_type, done.actual_quantity) == ("FINISHED", OrderType.MARKET, D(1))
    order = world.exchange.order("ann", "BTCUSDT", done.actual_order_id, None)
    assert (order.status, order.original_type, order.stop_price) == ("FILLED", STOP_MARKET, D("1000.5"))
    kinds = [event.kind for event in world.events if event.kind != "ACCOUNT_UPDATE"]
    assert kinds == ["ALGO_UPDATE"] * 3 + ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ALGO_UPDATE"]


def test_stop_by_the_mark_price_ignores_trades() -> None:
    world = a_world()
    algo = place(world, SELL, "1", "990.0", working_type=TriggerPrice.MARK)

    world.trade("980.0")
    assert now(world, algo).status == "NEW"
    world.mark("990.0")
    assert now(world, algo).status == "FINISHED"


def test_stop_with_a_limit_price_rests_and_finishes_when_its_order_ends() -> None:
    world = a_world()
    algo = place(world, BUY, "1", "1000.5", type=STOP, price="999.5", time_in_force=GTC)
    world.trade("1000.6")

    waiting = now(world, algo)
    assert (waiting.status, waiting.actual_type) == ("TRIGGERED", OrderType.LIMIT)
    world.exchange.cancel("ann", "BTCUSDT", waiting.actual_order_id, None)
    assert now(world, algo).status == "FINISHED"


def test_take_profit_fires_on_the_other_side() -> None:
    world = a_world()
    algo = place(world, SELL, "1", "1000.5", type=TAKE_PROFIT_MARKET)

    world.trade("1000.4")
    assert now(world, algo).status == "NEW"
    world.trade("1000.5")
    assert now(world, algo).status == "FINISHED"


def test_trailing_stop_wakes_up_at_its_activation_and_follows_the_best_price() -> None:
    world = a_world()
    algo = place(world, SELL, "1", None, type=TRAILING, activation_price=D("1002.0"), callback_rate_percent=D("1"))

    world.trade("980.0")
    assert not now(world, algo).active
    world.trade("1003.0")
    assert now(world, algo).active
    assert world.heard("ALGO_UPDATE")[-1]["o"]["ia"] is True
    world.trade("1010.0")
    world.trade("1000.0")
    assert now(world, algo).status == "NEW"
    world.trade("999.9")
    assert now(world, algo).status == "FINISHED"


def test_closing_order_closes_what_there_is_then() -> None:
    world = a_world()
    algo = place(world, SELL, None, "990.0", close_position=True)
    world.place(BUY, "1.5")
    world.trade("989.0")

    assert world.position() == D(0)
    assert now(world, algo).actual_quantity == D("1.5")
    idle = place(world, SELL, None, "980.0", close_position=True)
    world.trade("979.0")
    assert now(world, idle).status == "EXPIRED"


def test_nothing_is_reserved_before_the_trigger_and_a_poor_account_is_refused_then() -> None:
    world = a_world(balance="1000")
    algo = place(world, BUY, "100", "1000.5")
    assert world.refusal(BUY, "15", "999.0") == 0
    world.trade("1000.6")

    refused = now(world, algo)
    assert (refused.status, refused.message) == ("REJECTED", "Margin is insufficient.")
    assert statuses(world) == ["NEW", "TRIGGERING", "REJECTED"]


@pytest.mark.parametrize(("code", "side", "quantity", "trigger", "more"), [
    (-2021, BUY, "1", "999.9", {}),
    (-2021, SELL, "1", "1000.0", {}),
    (-1102, BUY, "1", None, {}),
    (-1102, BUY, None, "1001.0", {}),
    (-1102, SELL, "1", None, {"type": TRAILING}),
    (-2007, SELL, "1", None, {"type": TRAILING, "callback_rate_percent": D("20.1")}),
    (-1116, BUY, "1", "1001.0", {"type": OrderType.LIMIT, "price": "1.0"}),
    (-1102, BUY, "1", "1001.0", {"type": STOP}),
    (-4136, BUY, None, "1001.0", {"type": STOP, "price": "1001.0", "close_position": True}),
    (-4137, BUY, "1", "1001.0", {"close_position": True}),
    (-1106, BUY, None, "1001.0", {"close_position": True, "reduce_only": True}),
    (-4014, BUY, "1", "1001.05", {}),
    (-4061, BUY, "1", "1001.0", {"position_side": PositionSide.SHORT}),
    (-4015, BUY, "1", "1001.0", {"client_order_id": "?"}),
    (-5040, BUY, "1", "1001.0", {"time_in_force": GTD,
                                 "good_till_date_ms": START_MS}),
])
def test_refusals(code: int, side: Side, quantity: str | None, trigger: str | None, more: dict[str, Any]) -> None:
    world = a_world()

    with pytest.raises(ExchangeError) as caught:
        place(world, side, quantity, trigger, **more)
    assert caught.value.code == code
    assert world.events == []
    assert place(world, BUY, "1", "1001.0").algo_id == 1


def test_at_most_two_hundred_wait_over_all_symbols_and_ids_are_unique_among_them() -> None:
    world = a_world()
    for number in range(200):
        place(world, BUY, "1", "1001.0", symbol=("BTCUSDT", "BTCUSD_PERP")[number % 2], client_order_id=f"c{number}")

    with pytest.raises(ExchangeError, match="-4045"):
        place(world, BUY, "1", "1001.0")
    assert len(world.exchange.cancel_all_algo("ann", "BTCUSD_PERP")) == 100
    with pytest.raises(ExchangeError, match="-4116"):
        place(world, BUY, "1", "1001.0", client_order_id="c0")
    assert len(world.exchange.open_algo_orders("ann")) == 100
    assert place(world, BUY, "1", "1001.0").status == "NEW"


def test_cancelled_order_never_fires() -> None:
    world = a_world()
    algo = place(world, BUY, "1", "1000.5")

    assert world.exchange.cancel_algo("ann", None, algo.client_algo_id).status == "CANCELED"
    world.trade("1001.0")
    assert statuses(world) == ["NEW", "CANCELED"]
    assert world.position() == D(0)


def test_conditional_orders_are_no_ordinary_ones_until_they_fire() -> None:
    world = a_world()
    place(world, BUY, "1", "1000.5")

    assert world.exchange.all_orders("ann") == []
    world.exchange.cancel_all("ann", "BTCUSDT")
    assert len(world.exchange.open_algo_orders("ann")) == 1


def test_hedge_stop_closes_its_side() -> None:
    world = World()
    world.exchange.set_position_mode("ann", hedge=True)
    world.trade("1000.0")
    world.place(BUY, "1", position_side=PositionSide.LONG)
    world.place(SELL, "2", position_side=PositionSide.SHORT)
    place(world, SELL, "1", "990.0", position_side=PositionSide.LONG)
    world.trade("989.0")

    assert world.position(side=PositionSide.LONG) == D(0)
    assert world.position(side=PositionSide.SHORT) == D(-2)
