"""The page of the simulated exchange's interface, made of what serves it: routes, methods, streams, faults."""

from collections.abc import Iterator
from typing import Final

from backtest.exchange.core.domain import Product
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.routes import Route
from backtest.exchange.rest.table import TABLE
from backtest.exchange.serving.faults import AFTER, BEFORE, IMMEDIATE, MEANINGS, USER_EVENTS, FaultKind
from backtest.exchange.streams.names import FORMS, parse_stream
from backtest.exchange.streams.names import Route as StreamRoute
from backtest.exchange.wsapi.methods import METHODS
from backtest.exchange.wsapi.session import METHODS as SESSION_METHODS
from sluice.cli.reference.tables import table

_INTRODUCTION: Final = """\
# The simulated exchange's interface

What `sluice serve exchange` answers. It follows Binance's USD-M (`/fapi`) and COIN-M (`/dapi`) futures; the parameters
and answers are those of the venue's own documentation. How to run it is in [exchange.md](../exchange.md), its settings
are in [configuration.md](configuration.md#exchange).
"""
_REST: Final = """\
## REST

Weight counts against 2400 a minute and address, both products together; where it depends on the request, it is from the
least to the most. Orders counts against the account's limits of 10 seconds and of one minute. *signed* routes need key
and signature, *trade* a key that may trade, *key* the key alone.
"""
_SOCKET: Final = """\
## WebSocket order API

At `/ws-fapi/v1` and `/ws-dapi/v1`; each method does what the REST route does, with its weight.
"""
_STREAMS: Final = """\
## Streams

At `/public`, `/market`, `/private` or without a route, each with `/ws` and `/stream`; `/dstream` stands for the host of
COIN-M. A stream that a route does not carry is subscribed to in silence, as at the venue. On a connection without a
route, all streams of COIN-M's symbols are carried, those of USD-M only where the table says so. A listen key is a
stream of `/private`, `/dstream` and of a connection without a route.
"""
_FAULTS: Final = """\
## Faults

`POST /sluice/v1/faults` takes one or a list of them, `GET` shows those that wait, `DELETE` takes all back. A fault has
a `kind` and may have `operation` (the beginning of a route's name such as `POST order`), `symbol`, `account`, `event`
(of a user event), `sockets`, `milliseconds`, `parts`, `skip` (how many that fit are passed over) and `times` (how often
it happens, 0 for always; once where it is not given).
"""
#: Requests that show how a weight depends on what is asked.
_EXAMPLES: Final[tuple[dict[str, str], ...]] = (
    {}, {"symbol": "BTCUSDT"}, *({"symbol": "BTCUSDT", "limit": limit} for limit in ("1", "50", "100", "500", "1000")))
_SECURITY: Final = {
    Security.NONE: "public", Security.KEY: "key", Security.SIGNED_READ: "signed",
    Security.SIGNED_TRADE: "signed, trade"}
_WHEN: Final = ((BEFORE, "before a request acts"), (AFTER, "after a request has acted"), (USER_EVENTS, "user events"),
                (IMMEDIATE, "at once"))


def exchange_page() -> str:
    """Return the page in Markdown."""
    return "\n".join([
        _INTRODUCTION, _REST, *table(("route", "versions", "weight", "orders", "security", "what it does"), _routes()),
        _SOCKET, *table(("method", "USD-M", "COIN-M"), _methods()),
        _STREAMS, *table(("stream", "public", "market", "without a route", "what it carries"), _streams()),
        _FAULTS, *table(("kind", "strikes", "what happens"), _faults())])


def _routes() -> Iterator[tuple[str, ...]]:
    for route in TABLE.routes:
        versions = ", ".join(
            f"{product.value} v{version}" for product, numbers in route.versions.items() for version in numbers)
        orders = "" if not any(route.orders) else f"{route.orders[0]}, {route.orders[1]}"
        yield f"`{route.operation}`", versions, _weight(route), orders, _SECURITY[route.security], route.summary


def _weight(route: Route) -> str:
    found = {route.weigh(product, sent) for product in route.versions for sent in _EXAMPLES}
    return str(min(found)) if len(found) == 1 else f"{min(found)} to {max(found)}"


def _methods() -> Iterator[tuple[str, ...]]:
    for method in sorted(METHODS[Product.USDM].keys() | METHODS[Product.COINM].keys()):
        yield (f"`{method}`", *(_leads_to(method, product) for product in (Product.USDM, Product.COINM)))
    for method in sorted(SESSION_METHODS):
        yield f"`{method}`", "session", "session"


def _leads_to(method: str, product: Product) -> str:
    found = METHODS[product].get(method)
    return f"`{found[0]} /{product.value}/{found[1]}`" if found else "none"


def _streams() -> Iterator[tuple[str, ...]]:
    for form, example in FORMS.items():
        stream = parse_stream(example)
        assert stream is not None
        carried = (stream.delivered_on(route) for route in (
            StreamRoute.PUBLIC, StreamRoute.MARKET, StreamRoute.UNROUTED))
        yield (f"`{form}`", *("yes" if each else "" for each in carried), stream.kind.value)


def _faults() -> Iterator[tuple[str, ...]]:
    for kind in FaultKind:
        when = next((words for kinds, words in _WHEN if kind in kinds), "market, clock")
        yield f"`{kind.value}`", when, MEANINGS[kind]
