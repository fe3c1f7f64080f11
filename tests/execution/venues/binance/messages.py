"""Messages of the user stream as Binance documents them."""

import json
from typing import Any

UPDATE: dict[str, Any] = {
    "s": "BTCUSDT", "c": "sl1", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010", "p": "60000.1", "ap": "0",
    "sp": "0", "x": "NEW", "X": "NEW", "i": 8886774, "l": "0", "z": "0", "L": "0", "T": 1_700_000_000_123, "t": 0,
    "b": "0", "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": False,
    "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0"}


def order_update(**changed: object) -> bytes:
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": 1_700_000_000_130, "T": 1_700_000_000_123,
                       "o": {**UPDATE, **changed}}).encode()


def trade(trade_id: int, quantity: str, filled: str, status: str = "PARTIALLY_FILLED", **changed: object) -> bytes:
    return order_update(**{"x": "TRADE", "X": status, "t": trade_id, "l": quantity, "z": filled, "L": "60000.1",
                           "n": "0.12000020", "N": "USDT", "m": True, **changed})
