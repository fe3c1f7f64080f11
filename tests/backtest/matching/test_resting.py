"""Orders that rest: the queue before them, what fills them, and how they end."""

from sluice.orders import Side, TimeInForce
from tests.backtest.matching.builders import D, Market, an_order, fills, kinds, trades


def queue_of(market: Market) -> list[str]:
    return [str(order.queue_ahead) for order in market.engine.open_orders]


def test_trades_eat_the_queue_ahead_first_and_then_fill_us_in_parts() -> None:
    market = Market(bids={"100.0": "5"})
    market.submit(an_order(quantity="2", price="100.0"))

    assert trades(market.trade(Side.SELL, "100.0", "4")) == []
    assert trades(market.trade(Side.SELL, "100.0", "2")) == [("100.0", "1")]
    assert trades(market.trade(Side.SELL, "100.0", "9")) == [("100.0", "1")]
    assert not list(market.engine.open_orders)


def test_resting_fill_pays_the_maker_fee() -> None:
    market = Market(bids={"99.9": "5"})
    market.submit(an_order(quantity="2", price="100.0"))

    (fill,) = fills(market.trade(Side.SELL, "100.0", "2"))

    assert fill.maker
    assert fill.fee == D("0.0400")


def test_trade_through_our_price_fills_us_at_our_price_up_to_its_quantity() -> None:
    market = Market(bids={"100.0": "5", "99.9": "5"})
    market.submit(an_order(quantity="2", price="100.0"))

    assert trades(market.trade(Side.SELL, "99.9", "1.5")) == [("100.0", "1.5")]
    assert queue_of(market) == ["0"]


def test_trades_of_the_other_side_or_beyond_our_price_do_not_fill() -> None:
    market = Market(bids={"99.9": "5"})
    market.submit(an_order(quantity="2", price="99.8"))

    assert trades(market.trade(Side.BUY, "99.8", "9")) == []
    assert trades(market.trade(Side.SELL, "99.9", "9")) == []


def test_displayed_quantity_below_the_queue_moves_us_forward_and_above_it_does_not_move_us_back() -> None:
    market = Market(bids={"100.0": "5"})
    market.submit(an_order(quantity="2", price="100.0"))

    market.update(Side.BUY, "100.0", "3")
    assert queue_of(market) == ["3"]
    market.update(Side.BUY, "100.0", "8")
    assert queue_of(market) == ["3"]
    market.update(Side.BUY, "100.0", "0")
    assert queue_of(market) == ["0"]


def test_a_change_of_another_level_leaves_the_queue_alone() -> None:
    market = Market(bids={"100.0": "5"})
    market.submit(an_order(quantity="2", price="100.0"))

    market.update(Side.BUY, "99.9", "1")

    assert queue_of(market) == ["5"]


def test_a_trade_made_before_the_order_arrived_does_not_fill_it() -> None:
    market = Market(bids={"99.9": "5"})
    market.submit(an_order(quantity="2", price="100.0"))
    market.transaction_time -= 1

    assert trades(market.trade(Side.SELL, "100.0", "2")) == []


def test_the_other_side_coming_over_our_price_fills_us_with_what_it_shows_and_only_once() -> None:
    market = Market(bids={"100.0": "5"}, asks={"100.1": "5"})
    market.submit(an_order(quantity="2", price="100.0"))

    assert trades(market.update(Side.SELL, "99.9", "0.5")) == [("100.0", "0.5")]
    assert trades(market.update(Side.SELL, "100.2", "1")) == []
    assert trades(market.update(Side.SELL, "99.9", "0.7")) == [("100.0", "0.7")]


def test_better_price_fills_first_and_one_trade_fills_no_more_than_its_quantity() -> None:
    market = Market(bids={"99.0": "1"})
    market.submit(an_order(quantity="2", price="99.8", client_order_id="low"))
    market.submit(an_order(quantity="2", price="99.9", client_order_id="high"))

    events = market.trade(Side.SELL, "99.8", "3")

    assert [(event.client_order_id, str(event.fill.quantity)) for event in events if event.fill] == [
        ("high", "2"), ("low", "1")]


def test_two_orders_at_one_price_fill_in_the_order_of_arrival() -> None:
    market = Market(bids={"100.0": "1"})
    market.submit(an_order(quantity="1", price="100.0", client_order_id="first"))
    market.submit(an_order(quantity="1", price="100.0", client_order_id="second"))

    events = market.trade(Side.SELL, "100.0", "2.5")

    assert [(event.client_order_id, str(event.fill.quantity)) for event in events if event.fill] == [
        ("first", "1"), ("second", "0.5")]


def test_cancel_ends_a_resting_order_and_only_once() -> None:
    market = Market()
    market.submit(an_order(client_order_id="a"))

    assert kinds(market.cancel("a")) == ["CANCELED"]
    again = market.cancel("a")
    assert kinds(again) == ["CANCEL_REJECTED"]
    assert "-2011" in again[0].message
    assert market.trade(Side.SELL, "100.0", "99") == []


def test_cancel_of_a_filled_order_is_refused() -> None:
    market = Market()
    market.submit(an_order(price=None, client_order_id="a"))

    assert kinds(market.cancel("a")) == ["CANCEL_REJECTED"]


def test_good_till_date_ends_at_its_date() -> None:
    market = Market()
    market.submit(an_order(time_in_force=TimeInForce.GTD, good_till_time_ns=500))

    assert market.engine.next_expiry_ns == 500
    assert market.engine.expire_until(499) == []
    (event,) = market.engine.expire_until(900)
    assert (event.kind.name, event.event_time_ns) == ("EXPIRED", 500)
    assert market.engine.next_expiry_ns is None


def test_good_till_date_in_the_past_is_refused() -> None:
    assert kinds(Market().submit(an_order(time_in_force=TimeInForce.GTD, good_till_time_ns=1))) == ["REJECTED"]


def test_resting_reduce_only_order_expires_when_the_position_is_gone() -> None:
    market = Market(bids={"100.0": "9"}, asks={"100.1": "9"})
    market.submit(an_order(Side.BUY, "2", price=None))
    market.submit(an_order(Side.SELL, "2", "100.5", reduce_only=True, client_order_id="exit"))

    events = market.submit(an_order(Side.SELL, "2", price=None))

    assert [(event.client_order_id, event.kind.name) for event in events][-1] == ("exit", "EXPIRED")
    assert not list(market.engine.open_orders)


def test_resting_reduce_only_order_fills_no_more_than_the_position() -> None:
    market = Market(bids={"100.0": "9"}, asks={"100.1": "9"})
    market.submit(an_order(Side.BUY, "2", price=None))
    market.submit(an_order(Side.SELL, "5", "100.5", reduce_only=True))

    events = market.trade(Side.BUY, "100.6", "50")

    assert kinds(events) == ["FILL", "EXPIRED"]
    assert market.engine.position.quantity == D(0)


def test_resting_orders_survive_a_gap_and_fill_by_trades_meanwhile() -> None:
    market = Market(bids={"99.9": "5"})
    market.submit(an_order(quantity="2", price="100.0"))
    market.book.synced = False

    assert market.update(Side.SELL, "99.0", "9") == []
    assert trades(market.trade(Side.SELL, "100.0", "1")) == [("100.0", "1")]
