"""An unmodified ccxt.pro that is pointed at an exchange on this machine: its addresses are changed and nothing else."""

from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro as ccxt

#: How often ccxt may lose the book of COIN-M: with differences waiting it replays them by the rule of the spot market
#: onto the snapshot, at the venue too, and begins anew.
COINM_LOSSES = 20

#: Symbol, a second symbol (None: only one is made up), and a usual amount.
TRADED = {
    "binanceusdm": ("BTC/USDT:USDT", "ETH/USDT:USDT", 0.01),
    "binancecoinm": ("BTC/USD:BTC", None, 2),
}


def pointed_at(name: str, address: str, key: str, secret: str) -> Any:
    """Return a client of `binanceusdm` or `binancecoinm` for the exchange at host:port."""
    client = getattr(ccxt, name)({"apiKey": key, "secret": secret, "options": {"adjustForTimeDifference": True}})
    client.has["fetchCurrencies"] = False
    api = client.urls["api"]
    for part in list(api):
        for prefix in ("fapi", "dapi"):
            if part.startswith(prefix) and isinstance(api[part], str):
                api[part] = f"http://{address}/" + api[part].split("/", 3)[3]
    kind = "linear" if name == "binanceusdm" else "inverse"
    api["ws"][kind] = f"ws://{address}/{'ws' if kind == 'linear' else 'dstream/ws'}"
    api["ws"]["ws-api"][kind] = f"ws://{address}/ws-{'fapi' if kind == 'linear' else 'dapi'}/v1"
    return client


async def next_book(client: Any, watch: Callable[[], Awaitable[Any]]) -> Any:
    """Return the next whole book that a watch gives. That of COIN-M may be lost now and then, that of USD-M never."""
    for _ in range(COINM_LOSSES):
        try:
            book = await watch()
        except ccxt.ChecksumError:
            if client.id != "binancecoinm":
                raise
            continue
        if (book["bids"] and book["asks"]) or client.id != "binancecoinm":
            return book
    raise AssertionError(f"a book must come in {COINM_LOSSES} tries, did not")
