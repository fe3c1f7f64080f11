"""An exchange over real sockets in lock-step: the venue `lockstep` of backtests and demonstrations.

The Binance venue does what it does anywhere, requests and user streams and all; this wrapper only moves the simulated
exchange's market with event time, and waits after each step until everything that the exchange has said has arrived. So
a run over sockets is as exact as one in a single process. An exchange that was killed is joined again, and what it may
not have taken is asked for. It talks to `sluice serve exchange --pace lockstep` alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Self

from backtest.venue.control import ExchangeControl, ExchangeRestartedError, Progress
from execution.domain import OrderRequest
from execution.venues.binance.venue import BinanceVenue
from execution.venues.interface import VenueCommand, VenueCommandKind, VenueEvent, VenueOutcomeUnknown
from sluice.clock import NS_PER_MS, whole_milliseconds_ns
from sluice.config.settings import Settings
from sluice.instruments import Instrument, InstrumentCatalog

#: How long what the exchange has sent may be on its way, and how often to look.
_ARRIVAL_S: Final = 10.0
_LOOK_S: Final = 0.0005


class StepClock:
    """The time that requests are stamped with: that of the step which is being made."""

    def __init__(self) -> None:
        self._now_ns = 0

    def now_ns(self) -> int:
        """Return the step's time in nanoseconds."""
        return self._now_ns

    def set(self, time_ns: int) -> None:
        """Begin a step."""
        self._now_ns = time_ns


class LockStepVenue:
    """The Binance venue at an exchange whose time follows ours. `start` first."""

    name = "lockstep"

    def __init__(self, venue: BinanceVenue, control: ExchangeControl, clock: StepClock, latency_ns: int) -> None:
        self._venue = venue
        self._control = control
        self._clock = clock
        self._latency_ns = latency_ns
        self._played_ns = 0
        self._missed = 0
        self._requests: dict[str, OrderRequest] = {}

    @classmethod
    def from_settings(cls, settings: Settings, catalog: InstrumentCatalog) -> Self:
        """Return the venue, not yet connected."""
        binance = settings.binance.model_copy(update={"synchronise_clock": False, "countdown_s": 0})
        clock = StepClock()
        venue = BinanceVenue.from_settings(settings.model_copy(update={"binance": binance}), catalog, clock)
        control = ExchangeControl(
            binance.resolved("usdm", "simulated").rest_url, binance.api_key.get_secret_value())
        return cls(venue, control, clock, settings.exchange.order_latency_ms * NS_PER_MS)

    @property
    def events_received(self) -> int:
        """Return how many messages the user streams have brought."""
        return self._venue.events_received

    async def start(self) -> None:
        """Join the exchange. Raises `NotRunningError` and `ConfigurationError`."""
        progress = await self._control.join()
        # The exchange refuses a timestamp that is ahead of its own time.
        self._clock.set(progress.now_ns)
        self._played_ns = max(self._played_ns, progress.now_ns)
        await self._venue.start()
        self._missed = (await self._control.progress()).user_events - self._venue.events_received

    async def next_events(self) -> list[VenueEvent]:
        """Wait for ever: every event is returned by the call that caused it."""
        await asyncio.Event().wait()
        return []

    def now_ns(self) -> int:
        """Return how far the market has been played."""
        return self._played_ns

    async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
        """Play the exchange's market up to and including a time; return what happened to orders."""
        while True:
            try:
                progress = await self._control.advance(event_time_ns)
                events = await self._arrived(progress)
            except ExchangeRestartedError:
                await self._join_again()
                continue
            self._played_ns = max(self._played_ns, progress.now_ns)
            self._clock.set(self._played_ns)
            return events

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        """Send an order; return everything that happened up to its arrival, and what it did there."""
        self._requests[request.client_order_id] = request
        command = VenueCommand(VenueCommandKind.SUBMIT, request, sent_at_ns)
        return await self._carried_out(command, lambda: self._venue.submit(request, sent_at_ns), sent_at_ns)

    async def cancel(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> list[VenueEvent]:
        """Ask for a cancel; return everything that happened up to its arrival, and what it did."""
        request = self._requests.get(client_order_id)
        command = VenueCommand(VenueCommandKind.CANCEL, request, sent_at_ns) if request else None
        return await self._carried_out(command, lambda: self._venue.cancel(client_order_id, instrument, sent_at_ns),
                                       sent_at_ns)

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        """Return what became of the orders of these commands, at the time at which the last of them was sent."""
        self._requests |= {command.request.client_order_id: command.request for command in commands}
        if commands:
            self._clock.set(commands[-1].sent_at_ns)
        return await self._settled(await self._venue.recover(commands))

    async def close(self) -> None:
        """Leave the exchange."""
        await self._venue.close()
        await self._control.close()

    async def _carried_out(
        self, command: VenueCommand | None, ask: Callable[[], Awaitable[list[VenueEvent]]], sent_at_ns: int,
    ) -> list[VenueEvent]:
        """Ask until the exchange has done it for certain; one that was killed may have done it or not."""
        while True:
            self._clock.set(self._arrival_ns(sent_at_ns))
            try:
                return await self._settled(await ask())
            except (VenueOutcomeUnknown, ExchangeRestartedError):
                await self._join_again()
            self._clock.set(sent_at_ns)
            if command is not None and (found := await self._venue.recover([command])):
                return await self._settled(found)

    async def _join_again(self) -> None:
        """Join the exchange that was started in the place of one that is gone, and bring it to where that was."""
        await self._venue.close()
        played_ns = self._played_ns
        await self.start()
        await self._control.advance(played_ns)

    def _arrival_ns(self, sent_at_ns: int) -> int:
        """Return when a request arrives: what the exchange refuses, it refuses then."""
        return whole_milliseconds_ns(sent_at_ns) + self._latency_ns

    async def _settled(self, answered: list[VenueEvent]) -> list[VenueEvent]:
        """Return what was answered and streamed, in the exchange's order.

        An answer comes after everything that happened before it, but what it says the stream says too, in its place.
        """
        progress = await self._control.progress()
        self._played_ns = max(self._played_ns, progress.now_ns)
        streamed = await self._arrived(progress)
        told = {(event.kind, event.client_order_id) for event in streamed}
        return streamed + [event for event in answered if (event.kind, event.client_order_id) not in told]

    async def _arrived(self, progress: Progress) -> list[VenueEvent]:
        """Return the events once the user streams have brought that many messages in all."""
        deadline = asyncio.get_running_loop().time() + _ARRIVAL_S
        while self._missed + self._venue.events_received < progress.user_events:
            if asyncio.get_running_loop().time() > deadline:
                raise ExchangeRestartedError("the user streams must bring what the exchange has sent, did not")
            await asyncio.sleep(_LOOK_S)
        return in_order(self._venue.take_events())


def in_order(events: list[VenueEvent]) -> list[VenueEvent]:
    """Return events by time; those of one millisecond stay in their order, which within a product is the exchange's."""
    return sorted(events, key=lambda event: event.event_time_ns)
