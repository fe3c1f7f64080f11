"""An exchange over real sockets in lock-step: the venue `lockstep` of backtests and demonstrations.

The Binance venue does what it does anywhere, requests and user streams and all; this wrapper only moves the simulated
exchange's market with event time, and waits after each step until everything that the exchange has said has arrived. So
a run over sockets is as exact as one in a single process. It talks to `sluice serve exchange --pace lockstep` alone.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Self

from backtest.venue.control import ExchangeControl
from execution.domain import OrderRequest
from execution.venues.binance.venue import BinanceVenue
from execution.venues.interface import VenueCommand, VenueEvent, VenueOutcomeUnknown
from sluice.clock import EventClock
from sluice.config.settings import Settings
from sluice.instruments import Instrument, InstrumentCatalog

_NS_PER_MS: Final = 1_000_000
#: How long what the exchange has sent may be on its way, and how often to look.
_ARRIVAL_S: Final = 10.0
_LOOK_S: Final = 0.0005


class LockStepVenue:
    """The Binance venue at an exchange whose time follows ours. `start` first."""

    name = "lockstep"

    def __init__(self, venue: BinanceVenue, control: ExchangeControl, clock: EventClock, latency_ns: int) -> None:
        self._venue = venue
        self._control = control
        self._clock = clock
        self._latency_ns = latency_ns
        self._missed = 0

    @classmethod
    def from_settings(cls, settings: Settings, catalog: InstrumentCatalog) -> Self:
        """Return the venue, not yet connected."""
        binance = settings.binance.model_copy(update={"synchronise_clock": False, "countdown_s": 0})
        clock = EventClock(0)
        venue = BinanceVenue.from_settings(settings.model_copy(update={"binance": binance}), catalog, clock)
        control = ExchangeControl(
            binance.resolved("usdm", "simulated").rest_url, binance.api_key.get_secret_value())
        return cls(venue, control, clock, settings.exchange.order_latency_ms * _NS_PER_MS)

    @property
    def events_received(self) -> int:
        """Return how many messages the user streams have brought."""
        return self._venue.events_received

    async def start(self) -> None:
        """Connect. Raises `NotRunningError` and `ConfigurationError`."""
        progress = await self._control.progress()
        self._clock.advance(progress.now_ns)
        await self._venue.start()
        self._missed = progress.user_events - self._venue.events_received

    async def next_events(self) -> list[VenueEvent]:
        """Wait for ever: every event is returned by the call that caused it."""
        await asyncio.Event().wait()
        return []

    def now_ns(self) -> int:
        """Return how far the market has been played."""
        return self._clock.now_ns()

    async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
        """Play the exchange's market up to and including a time; return what happened to orders."""
        self._clock.advance(event_time_ns)
        return await self._arrived((await self._control.advance(event_time_ns)).user_events)

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        """Send an order; return everything that happened up to its arrival, and what it did there."""
        self._arrive(sent_at_ns)
        answered = await self._venue.submit(request, sent_at_ns)
        return await self._settled(answered)

    async def cancel(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> list[VenueEvent]:
        """Ask for a cancel; return everything that happened up to its arrival, and what it did."""
        self._arrive(sent_at_ns)
        answered = await self._venue.cancel(client_order_id, instrument, sent_at_ns)
        return await self._settled(answered)

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        """Return what became of the orders of these commands, at the time at which the last of them was sent."""
        if commands:
            self._clock.advance(commands[-1].sent_at_ns)
        return await self._settled(await self._venue.recover(commands))

    async def close(self) -> None:
        """Leave the exchange."""
        await self._venue.close()
        await self._control.close()

    def _arrive(self, sent_at_ns: int) -> None:
        """Let our clock show the time of the request's arrival: what the exchange refuses, it refuses then."""
        self._clock.advance(sent_at_ns // _NS_PER_MS * _NS_PER_MS + self._latency_ns)

    async def _settled(self, answered: list[VenueEvent]) -> list[VenueEvent]:
        """Return what was answered and streamed, in the exchange's order.

        An answer comes after everything that happened before it, but what it says the stream says too, in its place.
        """
        streamed = await self._arrived((await self._control.progress()).user_events)
        told = {(event.kind, event.client_order_id) for event in streamed}
        return streamed + [event for event in answered if (event.kind, event.client_order_id) not in told]

    async def _arrived(self, user_events: int) -> list[VenueEvent]:
        """Return the events once the user streams have brought that many messages in all."""
        deadline = asyncio.get_running_loop().time() + _ARRIVAL_S
        while self._missed + self._venue.events_received < user_events:
            if asyncio.get_running_loop().time() > deadline:
                raise VenueOutcomeUnknown("the user streams must bring what the exchange has sent, did not")
            await asyncio.sleep(_LOOK_S)
        return in_order(self._venue.take_events())


def in_order(events: list[VenueEvent]) -> list[VenueEvent]:
    """Return events by time; those of one millisecond stay in their order, which within a product is the exchange's."""
    return sorted(events, key=lambda event: event.event_time_ns)
