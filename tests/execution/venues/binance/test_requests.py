"""An order's request is built from the approved order and nothing else, in exact decimal text."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from execution.venues.binance.products import PLACE_CONDITIONAL, PLACE_ORDER, Product, product_of
from execution.venues.binance.requests import place_order
from sluice.envelope import client_order_id
from sluice.orders import OrderType, PriceMatch, SelfTradePrevention, TimeInForce, TriggerPrice
from tests.execution.venues.binance.requests_made import BTC, BTC_COIN, an_order


def test_a_limit_order_says_what_was_approved() -> None:
    endpoint, parameters = place_order(an_order())
    assert endpoint is PLACE_ORDER
    assert parameters == {
        "symbol": "BTCUSDT", "side": "BUY", "positionSide": "BOTH", "type": "LIMIT", "quantity": "0.01",
        "price": "60000.1", "timeInForce": "GTC", "selfTradePreventionMode": "EXPIRE_MAKER",
        "newClientOrderId": client_order_id("d-1"), "newOrderRespType": "ACK"}


def test_a_market_order_that_only_reduces() -> None:
    _, parameters = place_order(an_order(type=OrderType.MARKET, price=None, reduce_only=True, inverse=True,
                                         quantity="3"))
    assert parameters["reduceOnly"] == "true"
    assert parameters["quantity"] == "3"
    assert not {"price", "timeInForce"} & set(parameters)


def test_date_and_price_match_are_sent_where_they_are_set() -> None:
    _, parameters = place_order(an_order(
        time_in_force=TimeInForce.GTD, good_till_time_ns=1_700_000_000_123_999_999, price=None,
        price_match=PriceMatch.QUEUE_5, self_trade_prevention=SelfTradePrevention.NONE))
    assert parameters["goodTillDate"] == "1700000000123"
    assert parameters["priceMatch"] == "QUEUE_5"
    assert parameters["selfTradePreventionMode"] == "NONE"
    assert "price" not in parameters


def test_an_order_that_waits_for_a_trigger_goes_to_the_conditional_endpoint() -> None:
    endpoint, parameters = place_order(an_order(
        type=OrderType.STOP_MARKET, price=None, stop_price=Decimal("59000.0"), trigger_price=TriggerPrice.MARK,
        close_position=True, price_protect=True))
    assert endpoint is PLACE_CONDITIONAL
    assert parameters["clientAlgoId"] == client_order_id("d-1")
    assert parameters["triggerPrice"] == "59000"
    assert parameters["workingType"] == "MARK_PRICE"
    assert parameters["closePosition"] == "true"
    assert parameters["priceProtect"] == "TRUE"
    assert not {"quantity", "timeInForce", "newClientOrderId"} & set(parameters)


@given(st.decimals("0.00000001", "100000000", places=8, allow_nan=False))
def test_numbers_are_exact_and_plain(value: Decimal) -> None:
    _, parameters = place_order(an_order(quantity=str(value), price=value))
    assert Decimal(parameters["quantity"]) == Decimal(parameters["price"]) == value
    assert not set(parameters["quantity"]) - set("0123456789.")


def test_products_follow_the_instrument() -> None:
    assert product_of(BTC) is Product.USDM
    assert product_of(BTC_COIN) is Product.COINM
    assert PLACE_ORDER.url("http://h", Product.COINM) == "http://h/dapi/v1/order"
