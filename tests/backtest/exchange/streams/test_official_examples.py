"""Our streams' messages have the shape of Binance's own examples: the same fields with the same types.

What no stream of ours carries is listed by name with the reason, and so is every field that differs.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sluice.config.exchange import SyntheticMarketSettings
from tests.backtest.exchange.rest.test_official_examples import example_of, files_of, shape_differences
from tests.backtest.exchange.serving.world import World, in_world, texts

pytestmark = pytest.mark.needs("data")

#: Streams that can be subscribed to and stay silent.
SILENT = {
    "asset_index": "multi-assets mode", "composite_index_symbol_information_streams": "no index is simulated",
    "trading_session_stream": "no such contracts", "rpi_diff_book_depth_streams": "retail orders are not recorded",
    "contract_info_stream": "no contract changes within a replay",
    "index_kline_candlestick_streams": "a tape has no bars of its index",
    "mark_price_kline_candlestick_streams": "nor of its mark price",
    "liquidation_order_streams": "only where the tape has liquidations; a synthetic market has none",
    "market_liquidation_order_streams": "the same", "all_market_liquidation_order_streams": "the same",
}
#: Fields that differ, by name. Each must be one that does.
DEVIATIONS = {
    "s": "of the index price: the pair's name since June 2026; the example has it as i", "i": "the same",
    "st": "of klines, as the SDK of COIN-M has it; the example of USD-M lacks it",
}
STREAMS = {
    "usds": ("/market", "btcusdt", "btcusdt"),
    "coin": ("/dstream", "btcusd_perp", "btcusd"),
}


def names_of(product: str) -> dict[str, str]:
    """Return by name of the example the stream that it is of."""
    _, symbol, pair = STREAMS[product]
    both = {
        "aggregate_trade_streams": f"{symbol}@aggTrade", "all_market_mini_tickers_stream": "!miniTicker@arr",
        "all_market_tickers_streams": "!ticker@arr", "all_book_tickers_stream": "!bookTicker",
        "continuous_contract_kline_candlestick_streams": f"{pair}_perpetual@continuousKline_1m",
        "diff_book_depth_streams": f"{symbol}@depth", "partial_book_depth_streams": f"{symbol}@depth10",
        "individual_symbol_book_ticker_streams": f"{symbol}@bookTicker",
        "individual_symbol_mini_ticker_stream": f"{symbol}@miniTicker",
        "individual_symbol_ticker_streams": f"{symbol}@ticker", "kline_candlestick_streams": f"{symbol}@kline_1m",
        "mark_price_stream": f"{symbol}@markPrice"}
    if product == "usds":
        return both | {"mark_price_stream_for_all_market": "!markPrice@arr"}
    return both | {
        "index_price_stream": f"{pair}@indexPrice", "mark_price_of_all_symbols_of_a_pair": f"{pair}@markPrice"}


async def first_of_each(world: World, product: str) -> dict[str, Any]:
    """Return the first message of every stream of a product, by the name of its example."""
    names = {stream: name for name, stream in names_of(product).items()}
    routes = ("/public", "/market") if product == "usds" else ("/dstream",)
    found: dict[str, Any] = {}

    async def read(route: str) -> None:
        async with world.stream(f"{route}/stream?streams={'/'.join(names)}", max_msg_size=0) as socket:
            while len(found) < len(names):
                for message in await texts(socket, 1):
                    found.setdefault(names[message["stream"]], message["data"])

    async with asyncio.timeout(60):
        await asyncio.gather(*(read(route) for route in routes))
    return found


def test_every_message_has_the_shape_of_the_official_example(data_folder: Path) -> None:
    came: dict[str, dict[str, Any]] = {}

    async def story(world: World) -> None:
        came.update({product: await first_of_each(world, product) for product in STREAMS})

    market = SyntheticMarketSettings(symbols=("BTCUSDT", "BTCUSD_PERP"))
    in_world(story, synthetic=market, pace="3x", time="recorded")
    for product in STREAMS:
        assert set(came[product]) == files_of(data_folder, product, "streams") - set(SILENT)
    found = {f"{product}:{name}{path}" for product in STREAMS for name, message in came[product].items()
             for path in shape_differences(message, example_of(data_folder, product, "streams", name))}
    assert {path for path in found if path.rpartition(".")[2] not in DEVIATIONS} == set()
    assert {path.rpartition(".")[2] for path in found} == set(DEVIATIONS)
