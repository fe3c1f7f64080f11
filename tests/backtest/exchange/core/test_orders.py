"""The life of an ordinary order: each step, its numbers, and what the user stream hears of it, in order."""

import pytest

from backtest.exchange.core import ExchangeError, Product
from sluice.orders import PriceMatch, SelfTradePrevention
from tests.backtest.exchange.core.worlds import BUY, GTD, GTX, IOC, LIMIT, SELL, D, World

DAY_MS = 86_400_000


def test_market_order_walks_the_book_and_tells_each_fill() -> None:
    world = World()

    order = world.place(BUY, "3")

    assert (order.status, order.average_price, order.executed_value) == ("FILLED", D("1000.13333333"), D("3000.4"))
    assert world.steps() == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED")]
    assert [event.kind for event in world.events] == [
        "ORDER_TRADE_UPDATE", *["TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"] * 2]
    first, second = world.exchange.trades("ann")
    assert [(t.price, t.quantity, t.commission, t.maker) for t in (first, second)] == [
        (D("1000.1"), D(2), D("1.0001"), False), (D("1000.2"), D(1), D("0.5001"), False)]
    assert world.wallet() == D(100_000) - D("1.5002")
    assert world.position() == D(3)


def test_what_we_took_is_gone_until_the_tape_names_the_level_again() -> None:
    world = World()
    world.place(BUY, "2")

    assert world.place(BUY, "1").average_price == D("1000.2")
    world.depth(asks=[("1000.1", "2")])
    assert world.place(BUY, "1").average_price == D("1000.1")


def test_order_that_finds_too_little_expires_with_the_reason() -> None:
    world = World()

    order = world.place(BUY, "5", "1000.1", time_in_force=IOC)

    assert (order.status, order.executed_quantity, order.expire_reason) == ("EXPIRED", D(2), 2)
    assert world.steps()[-1] == ("EXPIRED", "EXPIRED")
    market = world.place(BUY, "100")
    assert (market.status, market.expire_reason, market.executed_quantity) == ("EXPIRED", 9, D(24))


def test_resting_order_waits_its_turn_and_fills_as_maker() -> None:
    world = World()
    order = world.place(SELL, "1", "1000.1")

    world.trade("1000.1", "2")
    assert world.order(order).status == "NEW"
    world.trade("1000.1", "0.4")
    assert world.order(order).status == "PARTIALLY_FILLED"
    world.trade("1000.2", "5")
    assert world.order(order).status == "FILLED"
    assert [(t.quantity, t.maker, t.commission) for t in world.exchange.trades("ann")] == [
        (D("0.4"), True, D("0.080008")), (D("0.6"), True, D("0.120012"))]
    assert world.position() == D(-1)


def test_cancel_tells_and_the_order_is_remembered_for_three_days() -> None:
    world = World()
    order = world.place(BUY, "1", "999.0")

    assert world.exchange.cancel("ann", "BTCUSDT", None, order.client_order_id).status == "CANCELED"
    assert world.steps() == [("NEW", "NEW"), ("CANCELED", "CANCELED")]
    world.wait(3 * DAY_MS - 10)
    assert world.order(order).status == "CANCELED"
    world.wait(10)
    with pytest.raises(ExchangeError, match="-2013"):
        world.order(order)


def test_filled_order_is_remembered_for_ninety_days() -> None:
    world = World()
    order = world.place(BUY, "1")

    world.wait(90 * DAY_MS - 10)
    assert world.order(order).status == "FILLED"
    world.wait(10)
    with pytest.raises(ExchangeError, match="-2013"):
        world.order(order)


def test_amended_order_loses_its_place_and_tells_both_states() -> None:
    world = World()
    order = world.place(SELL, "1", "1000.1")
    world.trade("1000.1", "2")

    after = world.exchange.amend("ann", "BTCUSDT", order.order_id, None, SELL, D("1000.1"), D(2), "m1")

    assert (after.quantity, after.order_id, after.amendments) == (D(2), order.order_id, 1)
    assert world.steps()[-1] == ("AMENDMENT", "NEW")
    assert world.heard()[-1]["o"]["M"] == "m1"
    (row,) = world.exchange.amendments("ann", "BTCUSDT", order.order_id, None)
    assert (row.quantity_before, row.quantity_after, row.price_before, row.count) == (D(1), D(2), D("1000.1"), 1)
    world.depth(asks=[("1000.1", "2")])
    world.trade("1000.1", "1")
    assert world.order(after).status == "NEW"


def test_amendments_that_are_refused() -> None:
    world = World()
    order = world.place(BUY, "1", "999.0")
    amend = world.exchange.amend

    for price, quantity, code in (("999.0", "1", -5027), ("999.05", "1", -4014), ("1051.0", "1", -4016),
                                  ("999.0", "0", -4003), ("999.0", "0.01", -4164), ("999.0", "999", -2019)):
        world.exchange.set_leverage("ann", "BTCUSDT", 5)
        with pytest.raises(ExchangeError) as caught:
            amend("ann", "BTCUSDT", order.order_id, None, BUY, D(price), D(quantity))
        assert caught.value.code == code
    assert world.order(order).price == D("999.0")
    assert world.exchange.account_state("ann", Product.USDM).pools[0].open_order_initial_margin == D("199.8")


def test_post_only_order_amended_across_the_touch_is_cancelled() -> None:
    world = World()
    order = world.place(BUY, "1", "999.0", time_in_force=GTX)

    after = world.exchange.amend("ann", "BTCUSDT", order.order_id, None, BUY, D("1000.1"), D(1))

    assert after.status == "CANCELED"
    assert world.position() == D(0)


def test_quantity_amended_below_what_is_filled_cancels() -> None:
    world = World()
    order = world.place(SELL, "2", "1000.0")
    order = world.place(SELL, "10", "1000.0")
    assert order.executed_quantity == D(0)
    world.trade("1000.0", "5")
    filled = world.exchange.open_orders("ann")[-1]

    after = world.exchange.amend("ann", "BTCUSDT", filled.order_id, None, None, None, filled.executed_quantity)

    assert after.status == "CANCELED"


@pytest.mark.parametrize(("mode", "maker", "taker"), [
    (SelfTradePrevention.EXPIRE_MAKER, "EXPIRED_IN_MATCH", "NEW"),
    (SelfTradePrevention.EXPIRE_TAKER, "NEW", "EXPIRED_IN_MATCH"),
    (SelfTradePrevention.EXPIRE_BOTH, "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
])
def test_order_that_would_meet_its_own(mode: SelfTradePrevention, maker: str, taker: str) -> None:
    world = World()
    world.depth(asks=[("1000.1", "0"), ("1000.2", "0"), ("1000.3", "0")])
    resting = world.place(SELL, "1", "1000.2")

    arriving = world.place(BUY, "1", "1000.3", self_trade_prevention=mode)

    assert (world.order(resting).status, arriving.status) == (maker, taker)
    ended = [event["o"]["er"] for event in world.heard() if event["o"]["X"] == "EXPIRED_IN_MATCH"]
    assert set(ended) == {"1"}


def test_price_match_takes_the_price_of_a_level() -> None:
    world = World()

    for match, price in ((PriceMatch.QUEUE, "1000.0"), (PriceMatch.QUEUE_5, "999.6")):
        order = world.place(BUY, "1", None, type=LIMIT, time_in_force=GTX, price_match=match)
        assert (order.price, order.price_match) == (D(price), match)


def test_reduce_only_orders_close_no_more_than_there_is_and_expire_when_idle() -> None:
    world = World()
    world.place(BUY, "1")
    resting = world.place(SELL, "1", "1002.0", reduce_only=True)

    closing = world.place(SELL, "5", reduce_only=True)

    assert (closing.executed_quantity, closing.status) == (D(1), "EXPIRED")
    assert world.position() == D(0)
    idle = world.order(resting)
    assert (idle.status, idle.expire_reason) == ("EXPIRED", 4)


def test_order_till_a_date_ends_at_its_whole_second() -> None:
    world = World()
    date = world.ms + 700_000
    order = world.place(BUY, "1", "999.0", time_in_force=GTD, good_till_date_ms=date + 123)

    world.wait(699_000)
    assert world.order(order).status == "NEW"
    world.wait(2_000)
    ended = world.order(order)
    assert (ended.status, ended.update_time_ms) == ("EXPIRED", (date + 123) // 1000 * 1000)


def test_countdown_cancels_on_a_grid_of_ten_milliseconds_unless_it_is_renewed() -> None:
    world = World()
    first, other = world.place(BUY, "1", "999.0"), world.place(BUY, "5", "999.0", symbol="BTCUSD_PERP")
    world.exchange.countdown("ann", "BTCUSDT", 1_003)
    begun = world.exchange.now_ns // 1_000_000
    world.wait(900)
    world.exchange.countdown("ann", "BTCUSDT", 1_003)
    world.wait(900)
    assert world.order(first).status == "NEW"
    world.wait(200)

    ended = world.order(first)
    assert ended.status == "CANCELED"
    assert ended.update_time_ms % 10 == 0
    assert ended.update_time_ms >= begun + 1_900
    assert world.order(other).status == "NEW"


def test_countdown_of_zero_stops_it() -> None:
    world = World()
    order = world.place(BUY, "1", "999.0")
    world.exchange.countdown("ann", "BTCUSDT", 1_000)
    world.exchange.countdown("ann", "BTCUSDT", 0)
    world.wait(5_000)

    assert world.order(order).status == "NEW"


def test_newest_orders_and_oldest_trades_come_first_where_there_are_too_many() -> None:
    world = World()
    for _ in range(5):
        world.place(BUY, "0.2")

    assert [order.order_id for order in world.exchange.all_orders("ann", limit=2)] == [4, 5]
    assert [order.order_id for order in world.exchange.all_orders("ann", order_id=2, limit=2)] == [2, 3]
    assert [trade.trade_id for trade in world.exchange.trades("ann", limit=2)] == [1, 2]
    assert [trade.trade_id for trade in world.exchange.trades("ann", from_id=4)] == [4, 5]


def test_accounts_share_the_market_and_not_each_others_trades() -> None:
    world = World(accounts=("ann", "bob"))
    world.place(BUY, "2")

    assert world.place(BUY, "2", account="bob").average_price == D("1000.1")
    assert {event.account for event in world.events} == {"ann", "bob"}
    assert [order.order_id for order in world.exchange.all_orders("bob")] == [2]
