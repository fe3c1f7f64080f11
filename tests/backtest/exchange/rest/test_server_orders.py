"""The life of orders over HTTP: what is asked, what is answered, and what the account shows afterwards."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.backtest.exchange.conftest import KEY, Served

#: Root of the paths, a symbol, a small quantity, and the version of the balance.
ProductSide = tuple[str, str, str, str]
PRODUCTS = [("/fapi/v1", "BTCUSDT", "0.010", "v3"), ("/dapi/v1", "BTCUSD_PERP", "2", "v1")]


@pytest.fixture(params=PRODUCTS, ids=["usdm", "coinm"])
def side(request: pytest.FixtureRequest) -> ProductSide:
    found: ProductSide = request.param
    return found


def limit_order(symbol: str, quantity: str, **changes: str) -> dict[str, Any]:
    return {"symbol": symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "49000",
            "quantity": quantity} | changes


def test_an_order_rests_is_amended_and_cancelled(exchange_server: Served, side: ProductSide) -> None:
    root, symbol, quantity, _ = side
    placed = exchange_server.signed("POST", f"{root}/order", **limit_order(symbol, quantity, newClientOrderId="mine"))
    assert (placed.status, placed.body["status"], placed.body["clientOrderId"]) == (200, "NEW", "mine")
    one = {"symbol": symbol, "orderId": placed.body["orderId"]}
    amended = exchange_server.signed("PUT", f"{root}/order", side="BUY", price="48900", quantity=quantity, **one)
    assert Decimal(amended.body["price"]) == 48900
    asked = exchange_server.signed("GET", f"{root}/order", symbol=symbol, origClientOrderId="mine")
    assert (asked.body["orderId"], Decimal(asked.body["price"])) == (placed.body["orderId"], Decimal(48900))
    listed = exchange_server.signed("GET", f"{root}/openOrders", symbol=symbol)
    assert [order["orderId"] for order in listed.body] == [placed.body["orderId"]]
    history = exchange_server.signed("GET", f"{root}/orderAmendment", **one)
    assert history.body[0]["amendment"]["price"]["before"].startswith("49000")
    assert exchange_server.signed("DELETE", f"{root}/order", **one).body["status"] == "CANCELED"
    assert exchange_server.signed("GET", f"{root}/openOrder", **one).body["code"] == -2013
    again = exchange_server.signed("DELETE", f"{root}/order", **one)
    assert (again.status, again.body) == (400, {"code": -2011, "msg": "Unknown order sent."})


def test_a_market_order_answers_ack_first_and_result_where_asked(exchange_server: Served, side: ProductSide) -> None:
    root, symbol, quantity, _ = side
    market = {"symbol": symbol, "side": "BUY", "type": "MARKET", "quantity": quantity}
    ack = exchange_server.signed("POST", f"{root}/order", **market)
    assert (ack.body["status"], Decimal(ack.body["executedQty"])) == ("NEW", Decimal(0))
    result = exchange_server.signed("POST", f"{root}/order", newOrderRespType="RESULT", **market)
    assert (result.body["status"], result.body["executedQty"]) == ("FILLED", quantity)
    assert "avgPrice" not in result.body
    asked = exchange_server.signed("GET", f"{root}/order", symbol=symbol, orderId=ack.body["orderId"])
    assert (asked.body["status"], Decimal(asked.body["avgPrice"])) == ("FILLED", Decimal(50_000))


def test_fills_fees_and_balance_agree_to_the_last_digit(exchange_server: Served, side: ProductSide) -> None:
    root, symbol, quantity, balance_version = side
    path = root.replace("v1", balance_version) + "/balance"
    before = Decimal(exchange_server.signed("GET", path).body[0]["balance"])
    exchange_server.signed("POST", f"{root}/order", symbol=symbol, side="BUY", type="MARKET", quantity=quantity)
    exchange_server.signed("POST", f"{root}/order", symbol=symbol, side="SELL", type="MARKET", quantity=quantity)
    after = Decimal(exchange_server.signed("GET", path).body[0]["balance"])
    fills = exchange_server.signed("GET", f"{root}/userTrades", symbol=symbol).body
    paid = sum(Decimal(fill["commission"]) - Decimal(fill["realizedPnl"]) for fill in fills)
    assert before - after == paid > 0
    income = exchange_server.signed("GET", f"{root}/income", symbol=symbol).body
    assert sum(Decimal(row["income"]) for row in income) == -paid


def test_a_post_only_order_that_would_take_is_refused(exchange_server: Served, side: ProductSide) -> None:
    root, symbol, quantity, _ = side
    answer = exchange_server.signed(
        "POST", f"{root}/order", **limit_order(symbol, quantity, timeInForce="GTX", price="50100"))
    assert (answer.status, answer.body["code"]) == (400, -5022)
    assert exchange_server.signed("GET", f"{root}/openOrders").body == []


@pytest.mark.parametrize(("changes", "code"), [
    ({"symbol": "NOPE"}, -1121), ({"side": "HOLD"}, -1117), ({"type": "ICEBERG"}, -1116),
    ({"timeInForce": "LATER"}, -1115), ({"type": "STOP_MARKET", "stopPrice": "1"}, -4120), ({"price": "1e4"}, -1100),
    ({"price": ""}, -1105), ({"quantity": "0"}, -4003), ({"positionSide": "LONG"}, -4061),
    ({"selfTradePreventionMode": "X"}, -1130), ({"newClientOrderId": "ä"}, -4015)])
def test_a_wrong_order_is_refused_with_the_venues_number(
    exchange_server: Served, side: ProductSide, changes: dict[str, str], code: int,
) -> None:
    root, symbol, quantity, _ = side
    answer = exchange_server.signed("POST", f"{root}/order", **limit_order(symbol, quantity) | changes)
    assert (answer.status, answer.body["code"]) == (400, code)
    assert answer.body["msg"]


def test_a_symbol_of_the_other_product_is_unknown(exchange_server: Served) -> None:
    answer = exchange_server.signed("POST", "/fapi/v1/order", **limit_order("BTCUSD_PERP", "2"))
    assert answer.body["code"] == -1121
    assert exchange_server.get("/fapi/v1/klines", symbol="BTCUSD_PERP", interval="1m").status == 200


def test_each_order_of_a_batch_is_answered_by_itself(exchange_server: Served, side: ProductSide) -> None:
    root, symbol, quantity, _ = side
    good = limit_order(symbol, quantity)
    answer = exchange_server.signed("POST", f"{root}/batchOrders", batchOrders=json.dumps(
        [good, good | {"side": "X"}, good | {"type": "STOP", "stopPrice": 1}, "no object", good | {"quantity": 2}]))
    codes = [row.get("code", row.get("status")) for row in answer.body]
    assert codes[:4] == ["NEW", -1117, -4120, -1130]
    assert len(codes) == 5
    ids = json.dumps([answer.body[0]["orderId"], 999])
    cancelled = exchange_server.signed("DELETE", f"{root}/batchOrders", symbol=symbol, orderIdList=ids)
    assert [row.get("status", row.get("code")) for row in cancelled.body] == ["CANCELED", -2011]


@pytest.mark.parametrize(("text", "code"), [("[]", -4082), ("[{},{},{},{},{},{}]", -4082), ("{}", -1130), ("[", -1130),
                                        ("[" * 2000, -1130), ("", -1102)])
def test_a_batch_that_is_none_is_refused(exchange_server: Served, text: str, code: int) -> None:
    assert exchange_server.signed("POST", "/fapi/v1/batchOrders", batchOrders=text).body["code"] == code


def test_conditional_orders_have_their_own_endpoints(exchange_server: Served, side: ProductSide) -> None:
    root, symbol, quantity, _ = side
    order = {"algoType": "CONDITIONAL", "symbol": symbol, "side": "SELL", "type": "STOP_MARKET",
             "quantity": quantity, "triggerPrice": "49000"}
    placed = exchange_server.signed("POST", f"{root}/algoOrder", clientAlgoId="stop1", **order)
    assert (placed.body["algoStatus"], placed.body["orderType"]) == ("NEW", "STOP_MARKET")
    assert placed.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert exchange_server.signed("GET", f"{root}/openOrders").body == []
    assert [row["clientAlgoId"] for row in exchange_server.signed("GET", f"{root}/openAlgoOrders").body] == ["stop1"]
    gone = exchange_server.signed("DELETE", f"{root}/algoOrder", clientAlgoId="stop1")
    assert gone.body == {"algoId": placed.body["algoId"], "clientAlgoId": "stop1", "code": "200", "msg": "success"}
    plain = exchange_server.signed("POST", f"{root}/algoOrder", **order | {"type": "LIMIT"})
    assert plain.body["code"] == -1116


def test_order_test_judges_and_places_nothing(exchange_server: Served) -> None:
    order = limit_order("BTCUSDT", "0.010")
    assert exchange_server.signed("POST", "/fapi/v1/order/test", **order).status == 200
    assert exchange_server.signed("POST", "/fapi/v1/order/test", **order | {"price": "0.01"}).status == 400
    assert exchange_server.signed("GET", "/fapi/v1/openOrders").body == []


def test_parameters_may_come_in_the_body(exchange_server: Served) -> None:
    placed = exchange_server.signed_by(
        KEY, "POST", "/fapi/v1/order", limit_order("BTCUSDT", "0.010"), in_body=True)
    assert (placed.status, placed.body["status"]) == (200, "NEW")


def test_hedge_mode_asks_for_a_position_side_on_both_products(exchange_server: Served) -> None:
    assert exchange_server.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true").status == 200
    assert exchange_server.signed("GET", "/dapi/v1/positionSide/dual").body == {"dualSidePosition": True}
    again = exchange_server.signed("POST", "/dapi/v1/positionSide/dual", dualSidePosition="true")
    assert again.body["code"] == -4059
    order = limit_order("BTCUSDT", "0.010")
    assert exchange_server.signed("POST", "/fapi/v1/order", **order).body["code"] == -4061
    assert exchange_server.signed("POST", "/fapi/v1/order", positionSide="LONG", **order).status == 200
    sides = [row["positionSide"] for row in exchange_server.signed("GET", "/dapi/v1/positionRisk").body]
    assert sides == ["LONG", "SHORT"]
