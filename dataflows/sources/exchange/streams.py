"""Which streams are read over which connections: names, routes and addresses. Nothing here opens a socket.

Binance splits its futures streams by route: `public` carries books and best prices, `market` everything else. A stream
that is asked for at the wrong route is accepted and stays silent. The streams of a connection are named in its address,
so no subscription message is ever sent, none is answered, and the limit on messages cannot be met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from sluice.config.market_source import CoinmAddresses, ExchangeSourceSettings, UsdmAddresses
from sluice.errors import InputError
from sluice.instruments import Instrument, InstrumentCatalog, Venue


class Route(Enum):
    """The part of an exchange's stream server that a stream is served by."""

    PUBLIC = "public"
    MARKET = "market"


#: Beginnings of the names of streams that are public; see "Websocket market streams" of Binance's futures.
_PUBLIC = ("depth", "bookTicker", "rpiDepth")
#: Beginnings of the names of streams that a living market is never long without.
_QUICK = ("depth", "bookTicker", "rpiDepth", "markPrice")
_TRADES = ("aggTrade", "trade", "kline", "continuousKline")
#: Letters by which the name of a stream is known: they differ for all that matters, and cost nothing to take.
KIND_LETTERS = 3
DEPTH = b"dep"
#: The stream by which an exchange in lock-step gives what a recorder polled; the venue has none of this name.
OPEN_INTEREST = "openInterest"


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One connection: its base address with the route, its streams, and how long each kind of them may be silent.

    `silence_s` is by the first letters of the kinds; a kind that may be silent for ever is not in it.
    """

    name: str
    base_url: str
    streams: tuple[str, ...]
    silence_s: dict[bytes, float]

    def url(self, after_line: int | None = None) -> str:
        """Return the address to connect to; `after_line` is where a simulated exchange in lock-step goes on."""
        after = "" if after_line is None else f"&after={after_line}"
        return f"{self.base_url}?streams={'/'.join(self.streams)}{after}"


def route_of(stream: str) -> Route:
    """Return the route of a stream without its symbol."""
    return Route.PUBLIC if stream.startswith(_PUBLIC) else Route.MARKET


def kind_of(stream: str) -> bytes:
    """Return the letters that a stream's kind is known by."""
    return stream[:KIND_LETTERS].encode()


def addresses(settings: ExchangeSourceSettings, venue: Venue) -> UsdmAddresses | CoinmAddresses:
    """Return where a venue is. Raises `InputError` where it is none of Binance's futures."""
    if venue is Venue.BINANCE_USDM:
        return settings.usdm
    if venue is Venue.BINANCE_COINM:
        return settings.coinm
    raise InputError(f"an exchange source must be of BINANCE_USDM or BINANCE_COINM, was asked for {venue.name}",
                     fix="name instruments of these in source.instruments")


def plan_connections(settings: ExchangeSourceSettings, catalog: InstrumentCatalog) -> list[ConnectionPlan]:
    """Return the connections that carry every stream of every instrument, in a fixed order. Raises `InputError`."""
    return [plan for venue in sorted({found.venue for found in catalog}, key=lambda venue: venue.value)
            for route in Route for plan in _of_route(settings, catalog, venue, route)]


def depth_instruments(settings: ExchangeSourceSettings, catalog: InstrumentCatalog) -> list[Instrument]:
    """Return the instruments whose books are read, and so need snapshots: all of them or none."""
    return list(catalog) if any(kind_of(stream) == DEPTH for stream in settings.streams) else []


def polled_instruments(settings: ExchangeSourceSettings, catalog: InstrumentCatalog) -> list[Instrument]:
    """Return the instruments whose open interest is asked for: all of them or none."""
    return list(catalog) if settings.open_interest_interval_s > 0 else []


def _streams(settings: ExchangeSourceSettings) -> Sequence[str]:
    lockstep = settings.clock == "lockstep" and settings.open_interest_interval_s > 0
    return (*settings.streams, OPEN_INTEREST) if lockstep else settings.streams


def _of_route(
    settings: ExchangeSourceSettings, catalog: InstrumentCatalog, venue: Venue, route: Route
) -> Iterator[ConnectionPlan]:
    kinds = [stream for stream in _streams(settings) if route_of(stream) is route]
    names = [f"{instrument.symbol.lower()}@{kind}" for instrument in catalog if instrument.venue is venue
             for kind in kinds]
    base = f"{addresses(settings, venue).stream_url.rstrip('/')}/{route.value}/stream"
    for number, start in enumerate(range(0, len(names), settings.streams_per_connection), start=1):
        part = tuple(names[start : start + settings.streams_per_connection])
        yield ConnectionPlan(f"{venue.name} {route.value} {number}", base, part, _silences(settings, part))


def _silences(settings: ExchangeSourceSettings, streams: Sequence[str]) -> dict[bytes, float]:
    """Return the longest silence in seconds of each kind of stream that has one."""
    limits: dict[bytes, float] = {}
    for stream in streams:
        kind = stream.partition("@")[2]
        if kind.startswith(_QUICK):
            limits[kind_of(kind)] = settings.silence_ms / 1000
        elif kind.startswith(_TRADES):
            limits[kind_of(kind)] = settings.trade_silence_ms / 1000
    return limits
