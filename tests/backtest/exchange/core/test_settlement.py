"""What the exchange does by itself: funding at its time, margin calls, liquidation, the fund and deleveraging."""

import pytest

from backtest.exchange.core import ExchangeError, Product
from sluice.orders import PositionSide
from tests.backtest.exchange.core.worlds import BUY, SELL, D, World

HOUR_MS = 3_600_000


def test_funding_is_paid_once_at_its_time_at_the_rate_last_told() -> None:
    world = World(accounts=("ann", "bob"))
    world.place(BUY, "1")
    world.place(SELL, "2", account="bob")
    before = world.wallet(), world.wallet("bob")
    due = world.ms + HOUR_MS
    world.mark("1000.0", rate="0.0001", next_ms=due)
    world.mark("1001.0", rate="0.0003", next_ms=due)
    world.events.clear()

    world.wait(HOUR_MS - 100)
    assert world.heard("ACCOUNT_UPDATE") == []
    world.wait(200)

    assert world.wallet() - before[0] == D("-0.3003")
    assert world.wallet("bob") - before[1] == D("0.6006")
    first = world.heard("ACCOUNT_UPDATE")[0]
    assert (first["E"], first["a"]["m"], first["a"]["S"]) == (due, "FUNDING_FEE", "BTCUSDT")
    assert (first["a"]["B"][0]["bc"], first["a"]["P"]) == ("-0.3003", [])
    (row,) = world.exchange.market("BTCUSDT").funding_history(10)
    assert (row.funding_rate, row.funding_time_ms) == (D("0.0003"), due)
    world.wait(10 * HOUR_MS)
    assert len(world.heard("ACCOUNT_UPDATE")) == 2


def test_isolated_position_pays_funding_from_its_own_margin() -> None:
    world = World()
    world.exchange.set_margin_type("ann", "BTCUSDT", isolated=True)
    world.place(BUY, "1")
    due = world.ms + HOUR_MS
    world.mark("1000.0", rate="0.001", next_ms=due)
    world.events.clear()
    world.wait(HOUR_MS)

    (event,) = world.heard("ACCOUNT_UPDATE")
    assert event["a"]["P"][0]["iw"] == "49.005"
    assert event["a"]["P"][0]["mt"] == "isolated"


def fallen(world: World, price: str) -> None:
    """Let the whole market fall to a price: the book is far below, so the market takes nothing at a good price."""
    world.move_book([(str(D(price) - D("0.1")), "0.1")], [(price, "1")])
    world.mark(price)


def test_margin_call_comes_once_while_the_margin_is_short() -> None:
    world = World(balance="100")
    world.place(BUY, "1")

    world.mark("905.0")
    world.mark("904.9")

    calls = world.heard("MARGIN_CALL")
    assert len(calls) == 1
    assert (calls[0]["p"][0]["s"], calls[0]["p"][0]["mt"]) == ("BTCUSDT", "CROSSED")
    assert world.position() == D(1)


def test_account_under_water_is_liquidated_and_the_fund_takes_what_the_book_does_not() -> None:
    world = World(balance="100", insurance="1000")
    world.place(BUY, "1")
    order = world.place(BUY, "0.2", "880.0")
    world.events.clear()

    fallen(world, "890.0")

    assert world.position() == D(0)
    ended = world.order(order)
    assert (ended.status, ended.expire_reason) == ("EXPIRED", 5)
    assert all(event["o"]["c"].startswith("autoclose-") for event in world.heard()[1:])
    assert world.heard()[-1]["o"]["x"] == "CALCULATED"
    assert world.wallet() == D(0)
    assert world.exchange.open_orders("ann") == []
    assert world.refusal(BUY, "1", "889.0") == -2019


def test_book_that_is_good_enough_closes_a_liquidated_position() -> None:
    world = World(balance="100", insurance="1000")
    world.place(BUY, "1")
    world.move_book([("906.0", "9")], [("906.1", "9")])
    world.events.clear()

    world.mark("903.0")

    assert world.position() == D(0)
    assert [event["o"]["L"] for event in world.heard() if event["o"]["x"] == "TRADE"] == ["906"]
    assert world.wallet() >= D(0)


def test_without_a_fund_the_other_side_is_deleveraged() -> None:
    world = World(accounts=())
    world.exchange.open_account("ann", {Product.USDM: {"USDT": D(100)}})
    world.exchange.open_account("bob", {Product.USDM: {"USDT": D(100_000)}})
    world.place(BUY, "1")
    world.place(SELL, "3", account="bob")
    world.events.clear()

    fallen(world, "800.0")

    assert world.position() == D(0)
    assert world.position("bob") == D(-2)
    closed = [event for event in world.events if event.account == "bob" and event.kind == "ORDER_TRADE_UPDATE"]
    assert closed[-1].payload["o"]["c"].startswith("adl_autoclose")


def test_isolated_liquidation_leaves_the_rest_of_the_wallet() -> None:
    world = World(balance="1000", insurance="1000")
    world.exchange.set_margin_type("ann", "BTCUSDT", isolated=True)
    world.place(BUY, "1")

    fallen(world, "950.0")

    assert world.position() == D(0)
    assert D(940) < world.wallet() < D(960)


def test_settings_tell_the_user_stream_and_refuse_with_binances_numbers() -> None:
    world = World()
    exchange = world.exchange

    assert exchange.set_leverage("ann", "BTCUSDT", 10) == 10
    assert world.heard("ACCOUNT_CONFIG_UPDATE")[0]["ac"] == {"s": "BTCUSDT", "l": 10}
    world.place(BUY, "1", "999.0")
    for call, code in (
        (lambda: exchange.set_leverage("ann", "BTCUSDT", 1000), -4028),
        (lambda: exchange.set_margin_type("ann", "BTCUSDT", isolated=False), -4046),
        (lambda: exchange.set_margin_type("ann", "BTCUSDT", isolated=True), -4047),
        (lambda: exchange.set_position_mode("ann", hedge=False), -4059),
        (lambda: exchange.set_position_mode("ann", hedge=True), -4067),
        (lambda: exchange.set_multi_assets("ann", enabled=False), -4171),
        (lambda: exchange.set_multi_assets("ann", enabled=True), -4167),
        (lambda: exchange.adjust_position_margin("ann", "BTCUSDT", PositionSide.BOTH, D(1)), -4049),
    ):
        with pytest.raises(ExchangeError) as caught:
            call()
        assert caught.value.code == code


def test_waiting_conditional_orders_keep_the_position_mode() -> None:
    from sluice.orders import OrderType
    from tests.backtest.exchange.core.worlds import ticket

    world = World()
    world.exchange.place_algo("ann", ticket(BUY, "1", type=OrderType.STOP_MARKET, stop_price=D(1100)))

    with pytest.raises(ExchangeError, match="-4067"):
        world.exchange.set_position_mode("ann", hedge=True)


def test_position_mode_is_shared_and_the_other_product_keeps_it() -> None:
    world = World()
    world.place(BUY, "2", "999.0", symbol="BTCUSD_PERP")

    for product, code in ((Product.USDM, "-4531"), (Product.COINM, "-4067"), (None, "-4067")):
        with pytest.raises(ExchangeError, match=code):
            world.exchange.set_position_mode("ann", hedge=True, product=product)
    world.exchange.cancel_all("ann", "BTCUSD_PERP")
    world.exchange.set_position_mode("ann", hedge=True, product=Product.USDM)
    assert world.exchange.hedge_mode("ann")


def test_inverse_account_is_paid_in_coin() -> None:
    world = World()
    order = world.place(BUY, "10", "1000.1", symbol="BTCUSD_PERP")

    (trade,) = world.exchange.trades("ann", Product.COINM, limit=1)
    assert (trade.quantity, trade.price, trade.commission_asset) == (D(2), D("1000.1"), "BTC")
    # 2 contracts of 100 USD at 1000.1: value 0.19998 BTC, of which 0.05 %.
    assert trade.commission == D("0.00009999")
    assert world.order(order).status == "PARTIALLY_FILLED"
    assert world.wallet(product=Product.COINM) == D(100) - D("0.00009999")
    assert world.heard()[-1]["o"]["ma"] == "BTC"
