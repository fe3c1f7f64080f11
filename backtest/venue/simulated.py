"""The simulated venue as execution talks to it: a pure function of a tape and of the commands with their times.

An order or cancel arrives `order_latency_ms` after it was sent; the market is played up to that moment first, so every
event of it is later than its sending. The way back takes no time: an event's time is the venue's.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Self

from backtest.matching import rules
from backtest.matching.engine import FeeRates
from backtest.venue.instrument_market import warm
from backtest.venue.recorded import RecordedMarket
from dataflows.tapes.reader import TapeReader
from execution.domain import OrderRequest
from execution.venues.interface import VenueCommand, VenueCommandKind, VenueEvent, VenueEventKind
from sluice.config.settings import Settings
from sluice.instruments import Instrument, InstrumentCatalog

_BASIS_POINT = Decimal("0.0001")
_UNKNOWN_SYMBOL = "-1121 Invalid symbol."

_Command = tuple[VenueCommandKind, str, int]


class SimulatedVenue:
    """A venue, and the simulated time of it. Keeps no state outside itself; `recover` rebuilds it from commands."""

    name = "simulated"

    def __init__(self, market: RecordedMarket, latency_ns: int) -> None:
        self._market = market
        self._latency_ns = latency_ns
        self._now_ns = 0
        self._history: list[VenueEvent] = []
        self._applied: Counter[_Command] = Counter()
        self._known: set[str] = set()

    @classmethod
    def from_settings(cls, settings: Settings, catalog: InstrumentCatalog) -> Self:
        """Return a venue at the beginning of the configured tapes.

        Raises `NotFoundError` for a tape or instrument that does not exist, `InputError` where no tape is named.
        """
        simulated = settings.execution.simulated
        fees = FeeRates(simulated.maker_fee_bps * _BASIS_POINT, simulated.taker_fee_bps * _BASIS_POINT)
        traded = catalog.select(settings.source.instruments) if settings.source.instruments else catalog
        if (instrument := next(iter(traded), None)) is not None:
            warm(instrument)
        market = RecordedMarket(iter(TapeReader(settings.source.tapes)), traded, fees)
        return cls(market, simulated.order_latency_ms * 1_000_000)

    def now_ns(self) -> int:
        """Return how far the market has been played."""
        return self._now_ns

    async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
        """Play the market up to and including a time; return what happened to orders. Going back does nothing."""
        self._now_ns = max(self._now_ns, event_time_ns)
        return self._keep(await self._market.play_until(self._now_ns))

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        """Let an order arrive; return everything that happened up to then, and what it did on arrival.

        A client order id that is known already starts nothing: the answer is what has become of that order.
        """
        events = await self._arrive(VenueCommandKind.SUBMIT, request.client_order_id, sent_at_ns)
        if request.client_order_id in self._known:
            known = [event for event in self._history if event.client_order_id == request.client_order_id]
            return events + [event for event in known if event not in events]
        self._known.add(request.client_order_id)
        return events + self._keep(self._match(request))

    async def cancel(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> list[VenueEvent]:
        """Let a cancel arrive; return everything that happened up to then, and whether it was possible."""
        events = await self._arrive(VenueCommandKind.CANCEL, client_order_id, sent_at_ns)
        if (market := self._market.market_of(instrument)) is None:
            kind = VenueEventKind.CANCEL_REJECTED
            return events + self._keep([VenueEvent(kind, client_order_id, self._now_ns, "", rules.UNKNOWN_ORDER)])
        return events + self._keep(market.engine.cancel(client_order_id, self._now_ns))

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        """Apply the commands that are new here, each at its own time; return all that is known about their orders.

        On a venue at the beginning of its tape this gives exactly the events of the undisturbed run, with the same ids.
        """
        start, applied = len(self._history), Counter(self._applied)
        for command in commands:
            key = (command.kind, command.request.client_order_id, command.sent_at_ns)
            if applied[key] > 0:
                applied[key] -= 1
            elif command.kind is VenueCommandKind.SUBMIT:
                await self.submit(command.request, command.sent_at_ns)
            else:
                await self.cancel(command.request.client_order_id, command.request.instrument, command.sent_at_ns)
        asked = {command.request.client_order_id for command in commands}
        return [
            event for index, event in enumerate(self._history) if index >= start or event.client_order_id in asked
        ]

    async def close(self) -> None:
        """Let go of the tape."""
        self._market.close()

    async def _arrive(self, kind: VenueCommandKind, client_order_id: str, sent_at_ns: int) -> list[VenueEvent]:
        self._applied[kind, client_order_id, sent_at_ns] += 1
        return await self.advance_to(sent_at_ns + self._latency_ns)

    def _match(self, request: OrderRequest) -> list[VenueEvent]:
        if (market := self._market.market_of(request.instrument)) is None:
            kind = VenueEventKind.REJECTED
            return [VenueEvent(kind, request.client_order_id, self._now_ns, "", _UNKNOWN_SYMBOL)]
        if request.good_till_time_ns:
            self._market.expect_expiry(request.good_till_time_ns)
        return market.engine.submit(request, self._now_ns)

    def _keep(self, events: list[VenueEvent]) -> list[VenueEvent]:
        self._history += events
        return events
