"""Addresses of streams: what the path and the query of a WebSocket connection ask for.

    /ws  /stream                            without a route
    /public/ws  /market/stream  ...         with one; `stream` wraps messages in {"stream", "data"}
    /dstream/ws  /dstream/stream            as at the host of COIN-M, which has no routes
    /ws/btcusdt@depth/btcusdt@bookTicker    streams in the path
    /stream?streams=btcusdt@depth/...       streams in the query
    /ws/<listenKey>  /private/ws?listenKey=<listenKey>&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE

`after` belongs to lockstep: the line of the tape after which the connection begins. Both products are at one address;
a symbol says which it belongs to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backtest.exchange.streams.names import Route
from sluice.errors import InputError

#: What every path of a stream fits.
PATH_PATTERN: Final = r"/{route:(?:(?:public|market|private|dstream)/)?}{form:ws|stream}{names:(?:/.*)?}"
_SEPARATORS: Final = re.compile(r"[/,]")


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """What a connection's address says. `events` are the kinds of user events that are wanted, all where empty."""

    route: Route
    combined: bool
    names: tuple[str, ...]
    events: frozenset[str]
    after_line: int


def read_address(route: str, form: str, path_names: str, query: Mapping[str, str]) -> StreamAddress:
    """Return what an address asks for. Raises `InputError` where `after` is no line number."""
    named = [*path_names.split("/"), *query.get("streams", "").split("/"), query.get("listenKey", "")]
    after = query.get("after", "0")
    if not (after.isdecimal() and len(after) <= 18):
        raise InputError(f"after must be the number of a line, was {after[:40]!r}")
    events = frozenset(event for event in _SEPARATORS.split(query.get("events", "")) if event)
    return StreamAddress(
        Route(route.rstrip("/")), form == "stream", tuple(dict.fromkeys(name for name in named if name)), events,
        int(after))
