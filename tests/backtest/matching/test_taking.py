"""Orders that take: what they get from the displayed book, and never twice."""

from decimal import Decimal

import pytest

from execution.domain import OrderRequest
from sluice.orders import OrderType, Side, TimeInForce
from tests.backtest.matching.builders import BTCUSD_PERP, FEES, D, Market, PlainBook, an_order, fills, kinds, trades
from tests.backtest.matching.reference.engine import MatchingEngine
from tests.backtest.matching.reference.liquidity import everything


def test_market_order_walks_the_displayed_levels_and_pays_the_taker_fee() -> None:
    market = Market(asks={"100.1": "2", "100.2": "3"})

    events = market.submit(an_order(quantity="4", price=None))

    assert kinds(events) == ["ACCEPTED", "FILL", "FILL"]
    assert trades(events) == [("100.1", "2"), ("100.2", "2")]
    assert [fill.fee for fill in fills(events)] == [D("0.10010"), D("0.10020")]
    assert not any(fill.maker for fill in fills(events))
    assert market.engine.position.quantity == D(4)


def test_market_order_expires_with_its_rest_where_the_book_is_too_thin() -> None:
    market = Market(asks={"100.1": "2"})

    events = market.submit(an_order(quantity="4", price=None))

    assert kinds(events) == ["ACCEPTED", "FILL", "EXPIRED"]


def test_market_order_goes_no_further_than_the_percent_price_filter() -> None:
    market = Market(asks={"100.1": "1", "106.0": "1"})

    assert trades(market.submit(an_order(quantity="2", price=None))) == [("100.1", "1")]


def test_one_displayed_quantity_fills_only_once_between_its_updates() -> None:
    market = Market(asks={"100.1": "2"})

    assert trades(market.submit(an_order(quantity="2", price=None))) == [("100.1", "2")]
    assert "-4131" in market.submit(an_order(quantity="1", price=None))[0].message
    market.update(Side.SELL, "100.2", "1")
    assert trades(market.submit(an_order(quantity="1", price="100.1", time_in_force=TimeInForce.IOC))) == []
    market.update(Side.SELL, "100.1", "0.5")
    assert trades(market.submit(an_order(quantity="1", price="100.1", time_in_force=TimeInForce.IOC))) == [
        ("100.1", "0.5")]


def test_what_others_traded_before_the_next_book_is_gone_for_us_too() -> None:
    market = Market(asks={"100.1": "2", "100.2": "2"})

    market.trade(Side.BUY, "100.1", "1.5")

    assert trades(market.submit(an_order(quantity="1", price=None))) == [("100.1", "0.5"), ("100.2", "0.5")]


def test_a_trade_that_the_book_includes_already_takes_nothing_more() -> None:
    market = Market(asks={"100.1": "2"})
    market.transaction_time -= 1

    market.trade(Side.BUY, "100.1", "1.5")

    assert trades(market.submit(an_order(quantity="2", price=None))) == [("100.1", "2")]


def test_limit_order_takes_up_to_its_price_and_rests_with_what_is_left() -> None:
    market = Market(asks={"100.1": "2", "100.3": "5"})

    events = market.submit(an_order(quantity="3", price="100.2"))

    assert kinds(events) == ["ACCEPTED", "FILL"]
    assert [order.remaining for order in market.engine.open_orders] == [D(1)]


def test_immediate_or_cancel_never_rests() -> None:
    market = Market(asks={"100.1": "2"})

    events = market.submit(an_order(quantity="3", price="100.2", time_in_force=TimeInForce.IOC))

    assert kinds(events) == ["ACCEPTED", "FILL", "EXPIRED"]
    assert not list(market.engine.open_orders)


@pytest.mark.parametrize(("quantity", "expected"), [("3", ["ACCEPTED", "FILL", "FILL"]), ("3.001", ["REJECTED"])])
def test_fill_or_kill_is_all_or_nothing(quantity: str, expected: list[str]) -> None:
    market = Market(asks={"100.1": "2", "100.2": "1"})

    events = market.submit(an_order(quantity=quantity, price="100.2", time_in_force=TimeInForce.FOK))

    assert kinds(events) == expected
    assert market.engine.position.quantity == (D(0) if expected == ["REJECTED"] else D(3))


def test_post_only_is_refused_where_it_would_take_and_rests_where_not() -> None:
    market = Market()

    crossing = market.submit(an_order(price="100.1", time_in_force=TimeInForce.GTX))
    resting = market.submit(an_order(price="100.0", time_in_force=TimeInForce.GTX))

    assert kinds(crossing) == ["REJECTED"]
    assert "-5022" in crossing[0].message
    assert kinds(resting) == ["ACCEPTED"]


def test_an_order_is_refused_while_the_book_is_not_in_sync() -> None:
    market = Market()
    market.book.synced = False

    for request in (an_order(price=None), an_order(), an_order(time_in_force=TimeInForce.GTX)):
        events = market.submit(request)
        assert kinds(events) == ["REJECTED"]
        assert "in sync" in events[0].message


def test_reduce_only_needs_an_opposite_position_and_never_turns_it_round() -> None:
    market = Market(bids={"100.0": "9"}, asks={"100.1": "9"})

    refused = market.submit(an_order(Side.SELL, price=None, reduce_only=True))
    market.submit(an_order(Side.BUY, "2", price=None))
    cut = market.submit(an_order(Side.SELL, "5", price=None, reduce_only=True))

    assert "-2022" in refused[0].message
    assert kinds(cut) == ["ACCEPTED", "FILL", "EXPIRED"]
    assert market.engine.position.quantity == D(0)


def test_inverse_contract_pays_its_fee_in_coin() -> None:
    book = PlainBook()
    book.sides = {Side.BUY: {D("60000.0"): D(10)}, Side.SELL: {D("60000.1"): D(10)}}
    engine = MatchingEngine(BTCUSD_PERP, book, FEES)
    engine.on_book(everything, 1, 1)
    request = OrderRequest("c-1", BTCUSD_PERP, Side.SELL, OrderType.MARKET, TimeInForce.GTC, D(3))

    (fill,) = fills(engine.submit(request, 2))

    assert fill.fee_asset == "BTC"
    assert fill.fee == D(300) / D(60000) * D("0.0005") == D("0.0000025")


def test_ids_are_counted_for_each_instrument_from_one() -> None:
    market = Market(asks={"100.1": "2", "100.2": "3"})

    first = market.submit(an_order(quantity="3", price=None))
    second = market.submit(an_order(quantity="2", price="99.0"))

    assert {event.venue_order_id for event in first} == {"1"}
    assert {event.venue_order_id for event in second} == {"2"}
    assert [fill.trade_id for fill in fills(first)] == ["1", "2"]


def test_own_resting_order_expires_where_a_new_order_comes_to_rest_over_it() -> None:
    market = Market(bids={"99.0": "1"}, asks={"101.0": "1"})
    market.submit(an_order(Side.SELL, "1", "100.5", client_order_id="resting"))

    events = market.submit(an_order(Side.BUY, "1", "100.5", client_order_id="new"))

    assert [(event.client_order_id, event.kind.name) for event in events] == [
        ("new", "ACCEPTED"), ("resting", "EXPIRED")]
    assert [order.request.client_order_id for order in market.engine.open_orders] == ["new"]


@pytest.mark.parametrize(
    ("quantity", "price", "code"),
    [
        ("0.0005", "100.0", "-4004"), ("1.0005", "100.0", "-4023"), ("1001", "100.0", "-4005"), ("121", None, "-4005"),
        ("1", "100.05", "-4014"), ("1", "110.0", "-4016"), ("0.5", "100.0", "-4164"), ("0", "100.0", "-4003"),
        ("1", "-1.0", "-4001"),
    ],
)
def test_filters_refuse_with_the_venues_code(quantity: str, price: str | None, code: str) -> None:
    events = Market().submit(an_order(quantity=quantity, price=price))

    assert kinds(events) == ["REJECTED"]
    assert events[0].message.startswith(code)
    assert events[0].venue_order_id == ""


def test_percent_price_goes_by_the_mark_price_where_the_tape_has_one() -> None:
    market = Market()
    market.engine.on_mark_price(D("120"))

    assert kinds(market.submit(an_order(Side.SELL, price="113.9"))) == ["REJECTED"]
    assert kinds(market.submit(an_order(Side.SELL, price="114.0"))) == ["ACCEPTED"]


def test_small_order_passes_where_it_only_reduces() -> None:
    market = Market()
    market.submit(an_order(Side.BUY, "1", price=None))

    assert kinds(market.submit(an_order(Side.SELL, "0.1", price=None, reduce_only=True))) == ["ACCEPTED", "FILL"]


def test_price_of_a_fill_is_the_displayed_decimal() -> None:
    market = Market(asks={"100.10": "5"})

    (fill,) = fills(market.submit(an_order(quantity="1", price=None)))

    assert fill.price == Decimal("100.1")
