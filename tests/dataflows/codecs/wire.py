"""Frames as Binance futures send them, made by hand for tests."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dataflows.tapes.frames import Frame

Pairs = Sequence[tuple[str, str]]
SECOND = 1_000_000_000


def dumps(event: Mapping[str, Any], stream: str = "") -> bytes:
    """Return an event as bytes without blanks, inside the combined stream's envelope where a stream is given."""
    document = {"stream": stream, "data": event} if stream else event
    return json.dumps(document, separators=(",", ":")).encode()


def depth(first: int, last: int, previous: int, bids: Pairs = (), asks: Pairs = (), symbol: str = "BTCUSDT") -> bytes:
    return dumps(
        {"e": "depthUpdate", "E": 1, "T": 1, "s": symbol, "U": first, "u": last, "pu": previous,
         "b": [list(pair) for pair in bids], "a": [list(pair) for pair in asks]},
        f"{symbol.lower()}@depth@0ms",
    )


def snapshot(last: int, bids: Pairs, asks: Pairs, **fields: object) -> bytes:
    return dumps({"lastUpdateId": last, "E": 1, "T": 1, **fields,
                  "bids": [list(pair) for pair in bids], "asks": [list(pair) for pair in asks]})


def ticker(update_id: int, bid: str, ask: str, bid_quantity: str = "1", ask_quantity: str = "1") -> bytes:
    return dumps({"e": "bookTicker", "u": update_id, "s": "BTCUSDT", "b": bid, "B": bid_quantity, "a": ask,
                  "A": ask_quantity, "T": 1, "E": 1}, "btcusdt@bookTicker")


def trade(price: str, quantity: str, *, sold: bool = False, execution: str = "MARKET") -> bytes:
    return dumps({"e": "trade", "E": 1, "T": 1, "s": "BTCUSDT", "t": 0, "p": price, "q": quantity, "X": execution,
                  "m": sold}, "btcusdt@trade")


def aggregate_trade(price: str, quantity: str, *, sold: bool = False) -> bytes:
    return dumps({"e": "aggTrade", "E": 1, "a": 0, "s": "BTCUSDT", "p": price, "q": quantity, "nq": quantity, "f": 1,
                  "l": 1, "T": 1, "m": sold, "st": 1}, "btcusdt@aggTrade")


def mark_price(price: str) -> bytes:
    return dumps({"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": price, "ap": price, "P": "1", "i": "1",
                  "r": "0.0001", "T": 2}, "btcusdt@markPrice@1s")


def kline(volume: str = "1") -> bytes:
    bar = {"t": 1, "T": 2, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2, "o": "1.0", "c": "1.0", "h": "1.0", "l": "1.0",
           "v": volume, "n": 1, "x": False, "q": "1", "V": "1", "Q": "1", "B": "0"}
    return dumps({"e": "kline", "E": 1, "s": "BTCUSDT", "k": bar}, "btcusdt@kline_1m")


def force_order(price: str = "1.0") -> bytes:
    order = {"s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "1", "p": price, "ap": price, "X": "FILLED",
             "l": "1", "z": "1", "T": 1}
    return dumps({"e": "forceOrder", "E": 1, "o": order}, "btcusdt@forceOrder")


def open_interest(value: str = "1.5", **fields: object) -> bytes:
    return dumps({"symbol": "BTCUSDT", "openInterest": value, "time": 3, **fields})


def frames(timed: Iterable[tuple[int, bytes]]) -> list[Frame]:
    """Return frames numbered from 1 with their receive times in nanoseconds."""
    return [Frame(number, time_ns, payload) for number, (time_ns, payload) in enumerate(timed, start=1)]
