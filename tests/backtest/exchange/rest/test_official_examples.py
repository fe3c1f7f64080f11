"""Our answers have the shape of Binance's own examples: the same fields with the same types, all the way down.

Where we deviate on purpose it is listed here with the reason; an example that no request of ours can answer is listed
too, so that none is forgotten.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backtest.exchange.conftest import Answer, Serve, Served

pytestmark = pytest.mark.needs("data")

#: What the exchange has no endpoint for, by a part of the file's name.
NOT_SERVED = {
    "download": "files of an account's history are made offline at the venue",
    "quote": "converting is another product", "convert": "converting is another product",
    "order_status": "the state of a conversion, another product",
    "_ratio": "statistics over all traders", "taker_buy_sell": "statistics over all traders",
    "open_interest_statistics": "statistics over all traders", "basis": "statistics over all traders",
    "insurance": "statistics over all traders", "adl_risk": "statistics over all traders",
    "constituents": "no index is simulated", "composite": "no index is simulated", "asset_index": "multi-assets mode",
    "quarterly": "no delivery has happened in a replay", "tradfi": "no such contracts",
    "trading_schedule": "no such contracts", "portfolio": "another kind of account",
    "quantitative": "the venue's own supervision of traders", "rpi_order_book": "retail orders are not recorded",
    "premium_index_kline": "a tape has no premium index",
}
#: Fields that differ, by name. Each must be one that does.
DEVIATIONS = {
    "activatePrice": "of trailing orders, which have been no ordinary orders since 2025; the examples show one",
    "priceRate": "the same", "callbackRate": "the same",
    "code": "the examples of batches merge an order and a refusal into one", "msg": "the same",
    "notionalCoef": "shown only to users who have coefficients of their own",
    "icebergQuantity": "null; the examples have the text None",
    "filters": "each filter is an object of its own; the examples merge all into one",
    "exchangeFilters": "sent on both products; one example lacks it",
    "futuresType": "the venue sends it, the examples lack it", "maxMoveOrderLimit": "the same",
    "underlyingSubType": "the same", "lastUpdateId": "sent on both products; one example lacks it",
    "qtyFloor": "the examples misspell it", "qtylFloor": "the misspelling",
    "breakEvenPrice": "sent wherever positions are; one example lacks it", "isolatedWallet": "the same",
    "notionalValue": "the same",
    "adlQuantile": "BOTH in one-way mode and HEDGE in hedge mode; the examples show both, or nothing",
}


def shape_differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two answers differ in fields or types."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in ours.keys() ^ theirs.keys():
            yield f"{path}.{name}"
        for name in ours.keys() & theirs.keys():
            yield from shape_differences(ours[name], theirs[name], f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        if ours and theirs:
            yield from shape_differences(ours[0], theirs[0], path)
    elif kind_of(ours) != kind_of(theirs):
        yield path


def kind_of(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def example_of(folder: Path, product: str, transport: str, name: str) -> Any:
    return json.loads((folder / "captures/binance_api_examples" / product / transport / f"{name}.json").read_text())[
        "response"]


def files_of(folder: Path, product: str, transport: str) -> set[str]:
    return {path.stem for path in (folder / "captures/binance_api_examples" / product / transport).glob("*.json")}


class Asked:
    """Asks a served exchange for the answer of each example, after a little trading that gives it something to tell."""

    def __init__(self, server: Served, product: str) -> None:
        self.server, self.product = server, product
        self.prefix = "/fapi" if product == "usds" else "/dapi"
        self.symbol, self.pair, self.quantity = (
            ("BTCUSDT", "BTCUSDT", "0.010") if product == "usds" else ("BTCUSD_PERP", "BTCUSD", "2"))
        self.limit = {"symbol": self.symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "49000",
                      "quantity": self.quantity}

    def path(self, name: str) -> str:
        return f"{self.prefix}/{name if name[:2] in {'v2', 'v3'} else 'v1/' + name}"

    def get(self, name: str, /, **parameters: Any) -> Any:
        return self.checked(self.server.get(self.path(name), **parameters))

    def signed(self, method: str, name: str, /, **parameters: Any) -> Any:
        return self.checked(self.server.signed(method, self.path(name), **parameters))

    @staticmethod
    def checked(answer: Answer) -> Any:
        assert answer.status == 200, answer
        return answer.body

    def public(self) -> dict[str, Any]:
        symbol, bars = {"symbol": self.symbol}, {"interval": "1m"}
        usds = self.product == "usds"
        funding = "get_funding_rate_history" if usds else "get_funding_rate_history_of_perpetual_futures"
        return {
            "check_server_time": self.get("time"), "exchange_information": self.get("exchangeInfo"),
            "order_book": self.get("depth", **symbol), "recent_trades_list": self.get("trades", **symbol),
            "old_trades_lookup": self.checked(self.server.keyed(
                "GET", f"{self.prefix}/v1/historicalTrades?symbol={self.symbol}")),
            "compressed_aggregate_trades_list": self.get("aggTrades", **symbol),
            "kline_candlestick_data": self.get("klines", **symbol, **bars),
            "mark_price_kline_candlestick_data": self.get("markPriceKlines", **symbol, **bars),
            "index_price_kline_candlestick_data": self.get("indexPriceKlines", pair=self.pair, **bars),
            "continuous_contract_kline_candlestick_data": self.get(
                "continuousKlines", pair=self.pair, contractType="PERPETUAL", **bars),
            ("mark_price" if usds else "index_price_and_mark_price"): self.get("premiumIndex", **symbol),
            funding: self.get("fundingRate", **symbol), "get_funding_rate_info": self.get("fundingInfo"),
            "ticker24hr_price_change_statistics": self.get("ticker/24hr", **symbol),
            "symbol_price_ticker": self.get("ticker/price", **symbol),
            "symbol_order_book_ticker": self.get("ticker/bookTicker", **symbol),
            "open_interest": self.get("openInterest", **symbol),
        } | ({"symbol_price_ticker_v2": self.get("v2/ticker/price", **symbol)} if usds else {})

    def orders(self) -> dict[str, Any]:
        placed = self.signed("POST", "order", **self.limit)
        one = {"symbol": self.symbol, "orderId": placed["orderId"]}
        change = one | {"side": "BUY", "quantity": self.quantity, "price": "48900", "modifyId": 1}
        found = {
            "new_order": placed, "query_order": self.signed("GET", "order", **one),
            "query_current_open_order": self.signed("GET", "openOrder", **one),
            "current_all_open_orders": self.signed("GET", "openOrders"),
            "modify_order": self.signed("PUT", "order", **change),
            "modify_multiple_orders": self.signed("PUT", "batchOrders", batchOrders=json.dumps(
                [change | {"price": "48800"}])),
            "get_order_modify_history": self.signed("GET", "orderAmendment", **one),
            "cancel_order": self.signed("DELETE", "order", **one)}
        batch = self.signed("POST", "batchOrders", batchOrders=json.dumps([self.limit, self.limit]))
        ids = json.dumps([order["orderId"] for order in batch])
        self.signed("POST", "order", symbol=self.symbol, side="BUY", type="MARKET", quantity=self.quantity)
        return found | {
            "place_multiple_orders": batch,
            "cancel_multiple_orders": self.signed("DELETE", "batchOrders", symbol=self.symbol, orderIdList=ids),
            "cancel_all_open_orders": self.signed("DELETE", "allOpenOrders", symbol=self.symbol),
            "auto_cancel_all_open_orders": self.signed(
                "POST", "countdownCancelAll", symbol=self.symbol, countdownTime=0),
            "all_orders": self.signed("GET", "allOrders", symbol=self.symbol),
            "account_trade_list": self.signed("GET", "userTrades", symbol=self.symbol),
            "users_force_orders": self.signed("GET", "forceOrders")}

    def account(self) -> dict[str, Any]:
        symbol = {"symbol": self.symbol}
        found = {
            "position_adl_quantile_estimation": self.signed("GET", "adlQuantile"),
            "user_commission_rate": self.signed("GET", "commissionRate", **symbol),
            "get_income_history": self.signed("GET", "income", incomeType="TRANSFER"),
            "get_current_position_mode": self.signed("GET", "positionSide/dual"),
            "change_initial_leverage": self.signed("POST", "leverage", leverage=10, **symbol),
            "start_user_data_stream": self.server.keyed("POST", f"{self.prefix}/v1/listenKey").body,
            "keepalive_user_data_stream": self.server.keyed("PUT", f"{self.prefix}/v1/listenKey").body}
        if self.product == "coin":
            return found | {
                "account_information": self.signed("GET", "account"),
                "futures_account_balance": self.signed("GET", "balance"),
                "position_information": self.signed("GET", "positionRisk"),
                "notional_bracket_for_pair": self.signed("GET", "leverageBracket"),
                "notional_bracket_for_symbol": self.signed("GET", "v2/leverageBracket")}
        return found | {
            "account_information_v2": self.signed("GET", "v2/account"),
            "account_information_v3": self.signed("GET", "v3/account"),
            "futures_account_balance_v2": self.signed("GET", "v2/balance"),
            "futures_account_balance_v3": self.signed("GET", "v3/balance"),
            "position_information_v2": self.signed("GET", "v2/positionRisk"),
            "position_information_v3": self.signed("GET", "v3/positionRisk"),
            "notional_and_leverage_brackets": self.signed("GET", "leverageBracket"),
            "futures_account_configuration": self.signed("GET", "accountConfig"),
            "symbol_configuration": self.signed("GET", "symbolConfig"),
            "query_user_rate_limit": self.signed("GET", "rateLimit/order"),
            "get_current_multi_assets_mode": self.signed("GET", "multiAssetsMargin"),
            "get_bnb_burn_status": self.signed("GET", "feeBurn"),
            "toggle_bnb_burn_on_futures_trade": self.signed("POST", "feeBurn", feeBurn="false"),
            "test_order": self.signed("POST", "order/test", **self.limit)}

    def settings(self) -> dict[str, Any]:
        self.signed("POST", "order", symbol=self.symbol, side="SELL", type="MARKET", quantity=self.quantity,
                    reduceOnly="true")
        margin_type = self.signed("POST", "marginType", symbol=self.symbol, marginType="ISOLATED")
        self.signed("POST", "order", symbol=self.symbol, side="BUY", type="MARKET", quantity=self.quantity)
        adjusted = self.signed("POST", "positionMargin", symbol=self.symbol, amount="0.01", type=1)
        history = self.signed("GET", "positionMargin/history", symbol=self.symbol)
        self.signed("POST", "order", symbol=self.symbol, side="SELL", type="MARKET", quantity=self.quantity)
        return {"change_margin_type": margin_type, "modify_isolated_position_margin": adjusted,
                "get_position_margin_change_history": history,
                "change_position_mode": self.signed("POST", "positionSide/dual", dualSidePosition="true")} | (
            {"change_multi_assets_mode": margin_type} if self.product == "usds" else {})

    def conditional(self) -> dict[str, Any]:
        if self.product == "coin":
            return {}
        order = {"algoType": "CONDITIONAL", "symbol": self.symbol, "side": "SELL", "type": "TAKE_PROFIT",
                 "quantity": self.quantity, "price": "51000", "triggerPrice": "51000", "timeInForce": "GTC"}
        placed = self.signed("POST", "algoOrder", **order)
        one = {"algoId": placed["algoId"]}
        return {
            "new_algo_order": placed, "query_algo_order": self.signed("GET", "algoOrder", **one),
            "current_all_algo_open_orders": self.signed("GET", "openAlgoOrders"),
            "cancel_algo_order": self.signed("DELETE", "algoOrder", **one),
            "query_all_algo_orders": self.signed("GET", "allAlgoOrders", symbol=self.symbol),
            "cancel_all_algo_open_orders": self.signed("DELETE", "algoOpenOrders", symbol=self.symbol)}


def differences(server: Served, folder: Path, product: str) -> set[str]:
    """Return where our answers differ from the examples of a product, as name of the example and path."""
    asked = Asked(server, product)
    answers = asked.public() | asked.orders() | asked.account() | asked.conditional() | asked.settings()
    expected = {name for name in files_of(folder, product, "rest") if not any(part in name for part in NOT_SERVED)}
    assert expected == set(answers)
    return {f"{product}:{name}{path}" for name in expected
            for path in shape_differences(answers[name], example_of(folder, product, "rest", name))}


def test_every_answer_has_the_shape_of_the_official_example(serve: Serve, data_folder: Path) -> None:
    found = differences(serve(), data_folder, "usds") | differences(serve(), data_folder, "coin")
    explained = {path: field for path in found for field in path.split(".")[1:] if field in DEVIATIONS}
    assert found - set(explained) == set()
    assert set(explained.values()) == set(DEVIATIONS)


def test_a_field_too_few_too_many_or_of_another_type_is_found() -> None:
    theirs = {"a": "1", "b": [{"c": 1}], "d": True}
    assert list(shape_differences({"a": "2", "b": [{"c": 2.5}], "d": False}, theirs)) == []
    assert set(shape_differences({"a": 1, "b": [{"c": 1, "e": 1}]}, theirs)) == {".a", ".b.e", ".d"}
