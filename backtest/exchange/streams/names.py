"""Names of streams, such as `btcusdt@depth@100ms`, and through which route each is delivered.

Since April 2026 the venue splits its streams: `/public` carries books and best prices, `/market` everything else about
the market, `/private` user data. A connection without a route gets the public ones of USD-M; a subscription to
anything else succeeds there and stays silent. COIN-M never was split: `/dstream`, which stands for its host, gets
everything, and its symbols come whole on a connection without a route too.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

#: Intervals of klines, as the venue names them.
KLINE_INTERVALS: Final = (
    "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
#: Milliseconds between two messages of a depth stream that names no speed.
DEFAULT_DEPTH_INTERVAL_MS: Final = 250
LONGEST_NAME: Final = 128

_DEPTH = re.compile(r"depth(?P<levels>5|10|20)?(?:@(?P<interval>0|100|250|500)ms)?")
_KLINE = re.compile(rf"kline_(?P<interval>{'|'.join(KLINE_INTERVALS)})")
_CONTINUOUS = re.compile(rf"(?P<contract>[a-z_]+)@continuousKline_(?P<interval>{'|'.join(KLINE_INTERVALS)})")
_MARK = re.compile(r"markPrice(?:@(?P<seconds>1|3)s)?")
_ALL_MARK = re.compile(r"markPrice@arr(?:@(?P<seconds>1|3)s)?")
_COIN_SYMBOL = re.compile(r"[a-z0-9]+usd_(perp|\d{6})")


class Route(Enum):
    """The path at which a connection came in; the value is the first part of that path."""

    PUBLIC = "public"
    MARKET = "market"
    PRIVATE = "private"
    COINM = "dstream"
    UNROUTED = ""


class StreamKind(Enum):
    """What a stream carries."""

    DEPTH = "depth"
    PARTIAL_DEPTH = "partial depth"
    BOOK_TICKER = "bookTicker"
    TRADE = "trade"
    AGGREGATE_TRADE = "aggTrade"
    MARK_PRICE = "markPrice"
    KLINE = "kline"
    CONTINUOUS_KLINE = "continuousKline"
    MINI_TICKER = "miniTicker"
    TICKER = "ticker"
    FORCE_ORDER = "forceOrder"
    CONTRACT_INFO = "contractInfo"
    INDEX_PRICE = "indexPrice"


PUBLIC_KINDS: Final = frozenset(
    {StreamKind.DEPTH, StreamKind.PARTIAL_DEPTH, StreamKind.BOOK_TICKER, StreamKind.TRADE})
_PLAIN: Final = {kind.value: kind for kind in (
    StreamKind.BOOK_TICKER, StreamKind.TRADE, StreamKind.AGGREGATE_TRADE, StreamKind.MINI_TICKER, StreamKind.TICKER,
    StreamKind.FORCE_ORDER)}
_ALL_MARKET: Final = {
    "bookTicker": StreamKind.BOOK_TICKER, "ticker@arr": StreamKind.TICKER, "miniTicker@arr": StreamKind.MINI_TICKER,
    "forceOrder@arr": StreamKind.FORCE_ORDER, "contractInfo": StreamKind.CONTRACT_INFO}
#: The forms of names, each with an example; intervals of bars and speeds stand for all of theirs.
FORMS: Final = {
    "<symbol>@depth[@0ms|@100ms|@250ms|@500ms]": "btcusdt@depth@100ms",
    "<symbol>@depth5|10|20[@100ms|@250ms|@500ms]": "btcusdt@depth5@100ms",
    "<symbol>@bookTicker": "btcusdt@bookTicker", "!bookTicker": "!bookTicker", "<symbol>@trade": "btcusdt@trade",
    "<symbol>@aggTrade": "btcusdt@aggTrade", "<symbol>@markPrice[@1s|@3s]": "btcusdt@markPrice@1s",
    "!markPrice@arr[@1s|@3s]": "!markPrice@arr@1s", "<symbol>@kline_<interval>": "btcusdt@kline_1m",
    "<pair>_<contract>@continuousKline_<interval>": "btcusdt_perpetual@continuousKline_1m",
    "<pair>@indexPrice": "btcusd@indexPrice", "<symbol>@miniTicker": "btcusdt@miniTicker",
    "!miniTicker@arr": "!miniTicker@arr", "<symbol>@ticker": "btcusdt@ticker", "!ticker@arr": "!ticker@arr",
    "<symbol>@forceOrder": "btcusdt@forceOrder", "!forceOrder@arr": "!forceOrder@arr",
    "!contractInfo": "!contractInfo"}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream whose name was understood.

    `symbol` is in capitals, "" for a stream of the whole market; for `indexPrice` and continuous klines it is the pair.
    `interval_ms` is the time between two messages where the stream has one of its own. `levels` belongs to partial
    depth, `interval` and `contract` to klines.
    """

    name: str
    kind: StreamKind
    symbol: str = ""
    interval_ms: int = 0
    levels: int = 0
    interval: str = ""
    contract: str = ""

    @property
    def public(self) -> bool:
        """Tell whether it is delivered on `/public`."""
        return self.kind in PUBLIC_KINDS

    @property
    def coin_margined(self) -> bool:
        """Tell whether the symbol is one of COIN-M; a stream of the whole market is of both and counts as USD-M."""
        return _COIN_SYMBOL.fullmatch(self.symbol.lower()) is not None

    def delivered_on(self, route: Route) -> bool:
        """Tell whether a connection of a route gets this stream's messages."""
        if route is Route.PUBLIC:
            return self.public
        if route is Route.COINM:
            return True
        if route is Route.UNROUTED:
            return self.public or self.coin_margined
        # Single trades are documented nowhere: clients ask for them by either route.
        return route is Route.MARKET and (not self.public or self.kind is StreamKind.TRADE)


def parse_stream(name: str) -> Stream | None:
    """Understand a stream's name; None for one that the venue does not know, which stays silent."""
    if len(name) > LONGEST_NAME:
        return None
    if name.startswith("!"):
        return _all_market(name)
    symbol, _, rest = name.partition("@")
    if not symbol or not rest or symbol != symbol.lower():
        return None  # names are in small letters; others are accepted in silence, as at the venue
    return _of_symbol(name, symbol.upper(), rest) or _continuous(name)


def _all_market(name: str) -> Stream | None:
    if found := _ALL_MARK.fullmatch(name[1:]):
        return Stream(name, StreamKind.MARK_PRICE, interval_ms=1000 * int(found["seconds"] or 3))
    kind = _ALL_MARKET.get(name[1:])
    return Stream(name, kind) if kind else None


def _of_symbol(name: str, symbol: str, rest: str) -> Stream | None:
    if kind := _PLAIN.get(rest):
        return Stream(name, kind, symbol)
    if found := _DEPTH.fullmatch(rest):
        interval = int(found["interval"] or DEFAULT_DEPTH_INTERVAL_MS)
        if found["levels"]:
            return Stream(name, StreamKind.PARTIAL_DEPTH, symbol, interval, int(found["levels"]))
        return Stream(name, StreamKind.DEPTH, symbol, interval)
    if found := _KLINE.fullmatch(rest):
        return Stream(name, StreamKind.KLINE, symbol, interval_ms=250, interval=found["interval"])
    if found := _MARK.fullmatch(rest):
        return Stream(name, StreamKind.MARK_PRICE, symbol, interval_ms=1000 * int(found["seconds"] or 3))
    if rest in ("indexPrice", "indexPrice@1s"):
        # The faster one exists no more; a subscription to it succeeds in silence.
        return Stream(name, StreamKind.INDEX_PRICE, symbol, interval_ms=3000) if rest == "indexPrice" else None
    return None


def _continuous(name: str) -> Stream | None:
    pair, _, rest = name.partition("_")
    if not (found := _CONTINUOUS.fullmatch(rest)):
        return None
    return Stream(name, StreamKind.CONTINUOUS_KLINE, pair.upper(), interval_ms=250, interval=found["interval"],
                  contract=found["contract"].upper())
