"""Binance's official SDK at an exchange's WebSocket order API: every answer must fit the SDK's own models.

    python sdk_order_api.py usds|coin host:port KEY SECRET
"""

import asyncio
import sys
from typing import Any

from binance_common.configuration import ConfigurationWebSocketAPI
from judging import Judge
from sdk_client import TRADED, client, unknown_fields


class OrderApi(Judge):
    """The order API of one product."""

    def __init__(self, product: str, address: str, key: str, secret: str) -> None:
        super().__init__()
        self.product = product
        self.symbol, self.quantity = TRADED[product]
        url = f"ws://{address}/ws-{'fapi' if product == 'usds' else 'dapi'}/v1"
        self.api = client(product, config_ws_api=ConfigurationWebSocketAPI(
            api_key=key, api_secret=secret, stream_url=url, timeout=10_000)).websocket_api

    async def call(self, method: str, **arguments: Any) -> Any:
        """Call a method, and tell what the models made of the answer; None where it was refused."""
        try:
            answer = await getattr(self.api, method)(**arguments)
            data = answer.data()
            assert not (isinstance(data, dict) and "error" in data), f"must be carried out, was {data}"
        except Exception as error:  # noqa: BLE001  # whatever a client raises is a verdict
            self.tell(method, False, f"{type(error).__name__}: {error}"[:800])
            return None
        limits = [limit.rateLimitType for limit in answer.rate_limits or []]
        self.tell(method, True, {"unknown": unknown_fields(data), "limits": limits})
        return data

    async def run(self) -> int:
        """Go through the methods."""
        await self.api.create_connection()
        for method in ("account_information", "futures_account_balance", "position_information",
                       "start_user_data_stream", "keepalive_user_data_stream", "close_user_data_stream"):
            await self.call(method)
        if self.product == "usds":
            for method in ("account_information_v2", "futures_account_balance_v2", "position_information_v2"):
                await self.call(method)
            for method in ("order_book", "symbol_order_book_ticker", "symbol_price_ticker"):
                await self.call(method, symbol=self.symbol)
        await self.orders()
        if self.product == "usds":
            placed = await self.call("new_algo_order", algo_type="CONDITIONAL", symbol=self.symbol, side="SELL",
                                     type="STOP_MARKET", quantity=self.quantity, trigger_price=50_000)
            await self.call("cancel_algo_order", algo_id=placed.result.algo_id)
        await self.api.close_connection()
        return self.end()

    async def orders(self) -> None:
        """Place, ask for, amend and cancel an order."""
        symbol, quantity = self.symbol, self.quantity
        placed = await self.call("new_order", symbol=symbol, side="BUY", type="LIMIT", time_in_force="GTC",
                                 quantity=quantity, price=91_000)
        one = {"symbol": symbol, "order_id": placed.result.order_id}
        await self.call("query_order", **one)
        await self.call("modify_order", side="BUY", quantity=quantity, price=91_500, **one)
        await self.call("cancel_order", **one)
        answer = (await self.api.cancel_order(**one)).data()
        self.tell("cancel_twice", "-2011" in str(answer), str(answer)[:200])


if __name__ == "__main__":
    sys.exit(asyncio.run(OrderApi(*sys.argv[1:]).run()))
