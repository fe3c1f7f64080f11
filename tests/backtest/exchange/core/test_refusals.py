"""What the exchange refuses, with Binance's number for it, and that a refused order leaves nothing behind."""

from typing import Any

import pytest

from backtest.exchange.core import Exchange, ExchangeError, Product
from backtest.exchange.core.listings import listings_of
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, PositionSide, PriceMatch
from tests.backtest.exchange.core.worlds import BUY, FOK, GTC, GTD, GTX, LIMIT, MARKET, SELL, START_MS, D, World, ticket


@pytest.mark.parametrize(("code", "side", "quantity", "price", "more"), [
    (-1102, BUY, "1", None, {"type": LIMIT}),
    (-1102, BUY, "1", "999.0", {"time_in_force": None}),
    (-1102, BUY, None, "999.0", {}),
    (-1102, BUY, None, None, {}),
    (-1102, BUY, "1", "999.0", {"time_in_force": GTD}),
    (-1106, BUY, "1", "999.0", {"type": MARKET, "time_in_force": None}),
    (-1106, BUY, "1", None, {"time_in_force": GTC}),
    (-1106, BUY, "1", "999.0", {"price_match": PriceMatch.QUEUE}),
    (-1111, BUY, "0.1234", "999.0", {}),
    (-1111, BUY, "1", "999.001", {}),
    (-4001, BUY, "1", "0", {}),
    (-4002, BUY, "1", "1000000000.0", {}),
    (-4003, BUY, "0", "999.0", {}),
    (-4003, BUY, "-1", "999.0", {}),
    (-4005, BUY, "1001", "999.0", {}),
    (-4005, BUY, "121", None, {}),
    (-4014, BUY, "1", "999.05", {}),
    (-4015, BUY, "1", "999.0", {"client_order_id": "no blanks"}),
    (-4015, BUY, "1", "999.0", {"client_order_id": "x" * 37}),
    (-4016, BUY, "1", "1050.1", {}),
    (-4024, SELL, "1", "950.0", {}),
    (-4061, BUY, "1", "999.0", {"position_side": PositionSide.LONG}),
    (-4120, BUY, "1", "999.0", {"type": OrderType.STOP, "stop_price": D("1001")}),
    (-4136, SELL, "1", None, {"close_position": True}),
    (-4164, BUY, "0.050", "999.0", {}),
    (-2022, SELL, "1", "1001.0", {"reduce_only": True}),
    (-2022, SELL, "1", None, {"reduce_only": True}),
    (-5021, BUY, "8", "1000.2", {"time_in_force": FOK}),
    (-5022, BUY, "1", "1000.1", {"time_in_force": GTX}),
    (-5038, BUY, "1", None, {"price_match": PriceMatch.OPPONENT}),
    (-5040, BUY, "1", "999.0", {"time_in_force": GTD, "good_till_date_ms": START_MS + 600_000}),
    (-5041, BUY, "1", None, {"type": LIMIT, "time_in_force": GTC, "price_match": PriceMatch.OPPONENT_20}),
    (-1121, BUY, "1", "999.0", {"symbol": "NOSUCH"}),
    (-2015, BUY, "1", "999.0", {"account": "nobody"}),
])
def test_refusal_has_its_number_and_leaves_nothing(
    code: int, side: Any, quantity: str | None, price: str | None, more: dict[str, Any]
) -> None:
    world = World()

    assert world.refusal(side, quantity, price, **more) == code
    assert world.events == []
    assert world.exchange.all_orders("ann") == []
    assert world.place(BUY, "1", "999.0").order_id == 1


def test_order_must_fit_the_wallet_with_those_that_are_open() -> None:
    world = World(balance="1000")  # at 20 times, for 20 units at 1000

    assert world.refusal(BUY, "20.1", "999.0") == -2019
    world.place(BUY, "15", "999.0")
    assert world.refusal(BUY, "6", "999.0") == -2019
    assert world.refusal(SELL, "15", "1001.0") == 0
    assert world.refusal(BUY, "5", "999.0") == 0


def test_client_order_id_is_unique_among_open_orders_only() -> None:
    world = World()
    first = world.place(BUY, "1", "999.0", client_order_id="mine")

    assert world.refusal(BUY, "1", "998.0", client_order_id="mine") == -4116
    world.exchange.cancel("ann", "BTCUSDT", first.order_id, None)
    second = world.place(BUY, "1", "998.0", client_order_id="mine")
    assert world.exchange.order("ann", "BTCUSDT", None, "mine").order_id == second.order_id


def test_no_more_than_two_hundred_orders_of_a_symbol_are_open() -> None:
    world = World(balance="10000000")
    for _ in range(200):
        world.place(BUY, "0.2", "999.0")

    assert world.refusal(BUY, "0.2", "999.0") == -2025
    world.exchange.cancel_all("ann", "BTCUSDT")
    assert world.refusal(BUY, "0.2", "999.0") == 0


def test_orders_before_the_first_book_are_refused() -> None:
    exchange = Exchange(listings_of(InstrumentCatalog.shipped()))
    exchange.open_account("ann", {Product.USDM: {"USDT": D(1000)}})

    with pytest.raises(ExchangeError, match="-1112"):
        exchange.place("ann", ticket(BUY, "1", "999.0"))


def test_hedge_mode_asks_for_a_side_and_takes_no_reduce_only() -> None:
    world = World()
    world.exchange.set_position_mode("ann", hedge=True)

    assert world.refusal(BUY, "1", "999.0") == -4061
    assert world.refusal(BUY, "1", "999.0", position_side=PositionSide.LONG, reduce_only=True) == -1106
    assert world.refusal(SELL, "1", "1001.0", position_side=PositionSide.LONG) == -2022
    assert world.refusal(BUY, "1", "999.0", position_side=PositionSide.LONG) == 0


def test_judging_an_order_places_none() -> None:
    world = World()

    order = world.exchange.check("ann", ticket(BUY, "1", "999.0"))

    assert (order.status, world.exchange.open_orders("ann"), world.events) == ("NEW", [], [])
    with pytest.raises(ExchangeError, match="-4014"):
        world.exchange.check("ann", ticket(BUY, "1", "999.05"))


def test_unknown_orders() -> None:
    world = World()
    placed = world.place(BUY, "1", "999.0")
    world.exchange.cancel("ann", "BTCUSDT", placed.order_id, None)

    for call, code in (
        (lambda: world.exchange.cancel("ann", "BTCUSDT", 77, None), -2011),
        (lambda: world.exchange.cancel("ann", "BTCUSDT", placed.order_id, None), -2011),
        (lambda: world.exchange.order("ann", "BTCUSDT", 77, None), -2013),
        (lambda: world.exchange.order("ann", "BTCUSDT", None, None), -1102),
        (lambda: world.exchange.open_order("ann", "BTCUSDT", placed.order_id, None), -2013),
        (lambda: world.exchange.cancel_algo("ann", 5, None), -2011),
        (lambda: world.exchange.algo_order("ann", None, "x"), -2013),
        (lambda: world.exchange.open_orders("ann", symbol="NOSUCH"), -1121),
    ):
        with pytest.raises(ExchangeError) as caught:
            call()
        assert caught.value.code == code
