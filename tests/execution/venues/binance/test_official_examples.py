"""What Binance's own examples answer can be read here."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from execution.venues.binance.wire import (
    ApiResponse,
    ConditionalAnswer,
    ExchangeInformation,
    ListenKey,
    OrderAnswer,
    PositionMode,
    PositionRow,
    ServerTime,
    TradeRow,
    read,
)

EXAMPLES = Path(os.environ.get("SLUICE_DATA", "../shared/data")) / "captures" / "binance_api_examples"
pytestmark = pytest.mark.needs("data")

BOTH: dict[str, Any] = {
    "new_order": OrderAnswer, "cancel_order": OrderAnswer, "query_order": OrderAnswer,
    "current_all_open_orders": list[OrderAnswer], "account_trade_list": list[TradeRow],
    "check_server_time": ServerTime, "start_user_data_stream": ListenKey, "get_current_position_mode": PositionMode}
CASES = [(f"{product}/rest/{name}", kind) for product in ("usds", "coin") for name, kind in BOTH.items()] + [
    ("usds/rest/new_algo_order", ConditionalAnswer), ("usds/rest/position_information_v2", list[PositionRow]),
    ("coin/rest/position_information", list[PositionRow])]


def example(name: str) -> bytes:
    return json.dumps(json.loads((EXAMPLES / f"{name}.json").read_text())["response"]).encode()


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[name for name, _ in CASES])
def test_official_answer_is_read(name: str, kind: Any) -> None:
    read(example(name), kind)


def test_official_trade_is_read_to_the_last_digit() -> None:
    [row] = read(example("coin/rest/account_trade_list"), list[TradeRow])
    assert (row.id, row.order_id, str(row.commission), row.commission_asset) == (6, 28, "0.00000454", "BTC")


@pytest.mark.parametrize("name", ["usds/ws_api/new_order", "usds/ws_api/cancel_order", "coin/ws_api/new_order"])
def test_official_response_of_the_order_api_is_read(name: str) -> None:
    response = msgspec.json.decode(example(name), type=ApiResponse)
    assert response.status == 200
    assert response.rate_limits[0].count > 0
    read(bytes(response.result), msgspec.defstruct("Id", [("orderId", int)]))


@pytest.mark.parametrize("product", ["usds", "coin"])
def test_official_exchange_information_is_read(product: str) -> None:
    [symbol] = read(example(f"{product}/rest/exchange_information"), ExchangeInformation).symbols
    assert symbol.filters
    assert symbol.contract_size == (1 if product == "usds" else 100)
