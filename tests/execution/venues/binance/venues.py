"""A venue that is started at a scripted exchange, on a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from execution.venues.binance.venue import BinanceVenue
from execution.venues.interface import VenueCommand, VenueCommandKind, VenueEvent
from sluice.clock import EventClock
from sluice.config.binance import BinanceSettings
from sluice.config.settings import ExecutionSettings, Settings, SourceSettings
from sluice.instruments import InstrumentCatalog
from tests.execution.venues.binance.requests_made import BTC, an_order
from tests.execution.venues.binance.scripted_exchange import START_MS, ScriptedExchange, a_scripted_exchange

NOW_NS = START_MS * 1_000_000


@dataclass
class Stand:
    """A venue and its exchange. `slept` lists what the venue waited for; `clock` is moved by its sleeping."""

    exchange: ScriptedExchange
    venue: BinanceVenue
    clock: EventClock
    slept: list[float] = field(default_factory=list)

    async def events(self, count: int) -> list[VenueEvent]:
        """Return the next so many events of the user stream."""
        found: list[VenueEvent] = []
        while len(found) < count:
            found += await asyncio.wait_for(self.venue.next_events(), 10)
        return found

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110  # what a test waits for sets no event
                await asyncio.sleep(0.01)


def settings_of(exchange: ScriptedExchange, *, both: bool = False, **changed: object) -> Settings:
    place = {"rest_url": f"http://{exchange.url}", "stream_url": f"ws://{exchange.url}",
             "order_api_url": f"ws://{exchange.url}/ws-fapi/v1"}
    values = {"usdm": place, "coinm": place, "api_key": "key", "api_secret": "secret", "request_timeout_ms": 400,
              "reconnect_ms": 10, "countdown_s": 0, **changed}
    instruments = (BTC.key, "BINANCE_COINM:BTCUSD_PERP") if both else (BTC.key,)
    return Settings(execution=ExecutionSettings(venue="binance"), source=SourceSettings(instruments=instruments),
                    binance=BinanceSettings.model_validate(values))


@asynccontextmanager
async def a_stand(*, both: bool = False, **changed: object) -> AsyncIterator[Stand]:
    """Start a venue; leave it in order."""
    async with a_scripted_exchange() as exchange:
        clock = EventClock(NOW_NS)
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            clock.advance(clock.now_ns() + int(seconds * 1e9))
            await asyncio.sleep(0.01)

        venue = BinanceVenue.from_settings(
            settings_of(exchange, both=both, **changed), InstrumentCatalog.shipped(), clock, sleep)
        await venue.start()
        try:
            yield Stand(exchange, venue, clock, slept)
        finally:
            await venue.close()


def commands(decision_id: str = "d-1", *, cancel: bool = False) -> list[VenueCommand]:
    kinds = [VenueCommandKind.SUBMIT, *([VenueCommandKind.CANCEL] if cancel else [])]
    return [VenueCommand(kind, an_order(decision_id), NOW_NS) for kind in kinds]
