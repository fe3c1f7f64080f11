"""Binance's official SDK at an exchange's streams: every message must fit the SDK's own models, and come.

    python sdk_streams.py usds|coin host:port KEY SECRET
"""

import asyncio
import logging
import sys
from typing import Any

from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams
from judging import Judge, until
from sdk_client import TRADED, client, unknown_fields

#: Streams of both products: method of the SDK, and arguments beside the symbol.
OF_SYMBOL: dict[str, dict[str, Any]] = {
    "aggregate_trade_streams": {}, "individual_symbol_book_ticker_streams": {},
    "individual_symbol_mini_ticker_stream": {}, "individual_symbol_ticker_streams": {},
    "kline_candlestick_streams": {"interval": "1m"}, "mark_price_stream": {}, "diff_book_depth_streams": {},
    "partial_book_depth_streams": {"levels": "10"},
}
OF_MARKET = ("all_market_mini_tickers_stream", "all_market_tickers_streams", "all_book_tickers_stream")
USER_EVENTS = {"TRADE_LITE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "ALGO_UPDATE"}


class Streams(Judge):
    """The streams of one product."""

    def __init__(self, product: str, address: str, key: str, secret: str) -> None:
        super().__init__()
        self.product = product
        self.symbol, self.quantity = TRADED[product]
        base = f"ws://{address}" if product == "usds" else f"ws://{address}/dstream/stream"
        made = client(
            product, config_rest_api=ConfigurationRestAPI(
                api_key=key, api_secret=secret, base_path=f"http://{address}", timeout=10_000, retries=0),
            config_ws_streams=ConfigurationWebSocketStreams(stream_url=base))
        self.rest, self.streams = made.rest_api, made.websocket_streams
        self.errors: list[str] = []
        self.user: dict[str, Any] = {}

    async def run(self) -> int:
        """Subscribe to everything, wait until each has come, and trade a little for the user stream."""
        logging.getLogger().addHandler(_Errors(self.errors))
        await self.streams.create_connection()
        pair = self.symbol.split("_")[0].lower()
        wanted = [(name, {"symbol": self.symbol.lower(), **arguments}) for name, arguments in OF_SYMBOL.items()]
        wanted += [(name, {}) for name in OF_MARKET]
        wanted.append(("continuous_contract_kline_candlestick_streams",
                       {"pair": pair, "contract_type": "perpetual", "interval": "1m"}))
        if self.product == "usds":
            wanted.append(("mark_price_stream_for_all_market", {}))
        else:
            wanted += [("index_price_stream", {"pair": pair}), ("mark_price_of_all_symbols_of_a_pair", {"pair": pair})]
        came: dict[str, Any] = {}
        for name, arguments in wanted:
            handle = await getattr(self.streams, name)(**arguments)
            handle.on("message", lambda message, one=name: came.setdefault(one, message))
            await asyncio.sleep(0.12)
        await self.attempt(self.user_stream_comes)
        for name, _ in wanted:
            await self.one_came(name, came)
        self.tell("no message was refused by the models", not self.errors, self.errors[:5])
        await self.streams.close_connection()
        return self.end()

    async def one_came(self, name: str, came: dict[str, Any]) -> None:
        """Wait for a stream's message and tell what the models did not know of it."""
        try:
            await until(lambda: name in came, name, 8)
        except AssertionError as error:
            self.tell(name, False, str(error))
        else:
            self.tell(name, True, {"unknown": unknown_fields(came[name])})

    async def user_stream_comes(self) -> Any:
        """Change a setting, trade, let a stop wait: each event comes and fits its model."""
        key = self.rest.start_user_data_stream().data().listen_key
        handle = await self.streams.user_data(key)
        handle.on("message", self.on_user_event)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(self.trade)
        # COIN-M sends no TRADE_LITE, and its SDK has no conditional orders.
        wanted = USER_EVENTS - (set() if self.product == "usds" else {"ALGO_UPDATE", "TRADE_LITE"})
        await until(lambda: set(self.user) >= wanted, f"all of {sorted(wanted)}, came {sorted(self.user)}", 10)
        return {name: unknown_fields(event) for name, event in self.user.items()}

    def on_user_event(self, event: Any) -> None:
        """Keep the first event of each kind; one that its model refuses comes as a plain dictionary."""
        inner = event.actual_instance
        if isinstance(inner, dict):
            self.errors.append(f"user event refused: {inner}"[:300])
            return
        self.user.setdefault(_event_name(inner), inner)

    def trade(self) -> None:
        """Do what makes every kind of user event."""
        symbol = self.symbol
        self.rest.change_initial_leverage(symbol=symbol, leverage=11)
        for side in ("BUY", "SELL"):
            self.rest.new_order(symbol=symbol, side=side, type="MARKET", quantity=self.quantity)
        if self.product == "usds":
            self.rest.new_algo_order(algo_type="CONDITIONAL", symbol=symbol, side="SELL", type="STOP_MARKET",
                                     quantity=self.quantity, trigger_price=50_000)
            self.rest.cancel_all_algo_open_orders(symbol=symbol)


def _event_name(event: Any) -> str:
    """Return the wire's name of a user event of the SDK's own class, such as OrderTradeUpdate."""
    name = type(event).__name__
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).strip("_").upper()


class _Errors(logging.Handler):
    """Keeps what the SDK logs when a message does not fit its model: it raises nothing."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self._errors.append(record.getMessage()[:500])


if __name__ == "__main__":
    sys.exit(asyncio.run(Streams(*sys.argv[1:]).run()))
