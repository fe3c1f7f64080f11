"""The simulated venue as execution talks to it: the exchange's core in this process, with one account.

It is the same code that `sluice serve exchange` puts on sockets, so an order fares the same way here and there. What
happens is a pure function of a tape and of the commands with their times. Times of events are whole milliseconds, as on
the wire; an order or cancel arrives `order_latency_ms` after the millisecond in which it was sent, and the market is
played up to that moment first. The way back takes no time: an event's time is the venue's.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, Self

from backtest.exchange.core import Exchange, ExchangeError
from backtest.exchange.core.exchange import ExchangeSettings
from backtest.exchange.core.listings import flat_fees, listings_of, wallets_of
from backtest.exchange.core.warming import warm
from backtest.venue.translation import ticket_of, told_by
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import Item, TapeReader
from execution.domain import OrderRequest
from execution.venues.interface import VenueCommand, VenueCommandKind, VenueEvent, VenueEventKind
from sluice.clock import NS_PER_MS, whole_milliseconds_ns
from sluice.config.settings import Settings
from sluice.instruments import Instrument, InstrumentCatalog

_BASIS_POINT: Final = Decimal("0.0001")
#: Frames between two moments at which others may run, e.g. a health check.
_FRAMES_PER_TURN: Final = 512

_Command = tuple[VenueCommandKind, str, int]


class SimulatedVenue:
    """A venue, and the simulated time of it. Keeps no state outside itself; `recover` rebuilds it from commands.

    `items` is a tape from its beginning; `account` is open at the exchange.
    """

    name = "simulated"

    def __init__(self, exchange: Exchange, items: Iterator[Item], account: str, latency_ms: int) -> None:
        self._exchange = exchange
        self._frames = (item for item in items if isinstance(item, Frame))
        self._next = next(self._frames, None)
        self._account = account
        self._latency_ns = latency_ms * NS_PER_MS
        self._history: list[VenueEvent] = []
        self._told = 0
        self._applied: Counter[_Command] = Counter()
        self._known: set[str] = set()
        exchange.user_events.append(lambda event: self._history.extend(told_by(event)))

    @classmethod
    def from_settings(cls, settings: Settings, catalog: InstrumentCatalog) -> Self:
        """Return a venue at the beginning of the configured tapes.

        Raises `NotFoundError` for a tape or instrument that does not exist, `InputError` where no tape is named.
        """
        venue = cls.playing(settings, catalog, iter(TapeReader(settings.source.tapes)))
        if listings := listings_of(_traded(settings, catalog)):
            warm(listings[0])
        return venue

    @classmethod
    def playing(cls, settings: Settings, catalog: InstrumentCatalog, items: Iterator[Item]) -> Self:
        """Return the configured venue for a tape that is being read already; its kernels load when they are needed."""
        simulated = settings.execution.simulated
        listings = listings_of(_traded(settings, catalog))
        fees = flat_fees(simulated.maker_fee_bps * _BASIS_POINT, simulated.taker_fee_bps * _BASIS_POINT)
        exchange = Exchange(listings, ExchangeSettings(fees=fees))
        exchange.open_account(settings.account.name, wallets_of(settings.account.balances, listings))
        return cls(exchange, items, settings.account.name, simulated.order_latency_ms)

    def now_ns(self) -> int:
        """Return how far the market has been played."""
        return self._exchange.now_ns

    async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
        """Play the market up to and including a time; return what happened to orders. Going back does nothing."""
        turn = 0
        while self._next is not None and self._next.receive_time_ns <= event_time_ns:
            self._exchange.on_frame(self._next)
            self._next = next(self._frames, None)
            turn += 1
            if turn % _FRAMES_PER_TURN == 0:
                await asyncio.sleep(0)
        self._exchange.advance_to(event_time_ns)
        return self._news()

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        """Let an order arrive; return everything that happened up to then, and what it did on arrival.

        A client order id that is known already starts nothing: the answer is what has become of that order.
        """
        events = await self._arrive(VenueCommandKind.SUBMIT, request.client_order_id, sent_at_ns)
        if request.client_order_id in self._known:
            known = [event for event in self._history if event.client_order_id == request.client_order_id]
            return events + [event for event in known if event not in events]
        self._known.add(request.client_order_id)
        try:
            self._exchange.place(self._account, ticket_of(request))
        except ExchangeError as refusal:
            self._refuse(VenueEventKind.REJECTED, request.client_order_id, refusal)
        return events + self._news()

    async def cancel(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> list[VenueEvent]:
        """Let a cancel arrive; return everything that happened up to then, and whether it was possible."""
        events = await self._arrive(VenueCommandKind.CANCEL, client_order_id, sent_at_ns)
        try:
            self._exchange.cancel(self._account, instrument.symbol, None, client_order_id)
        except ExchangeError as refusal:
            self._refuse(VenueEventKind.CANCEL_REJECTED, client_order_id, refusal)
        return events + self._news()

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
        self._frames.close()

    async def _arrive(self, kind: VenueCommandKind, client_order_id: str, sent_at_ns: int) -> list[VenueEvent]:
        self._applied[kind, client_order_id, sent_at_ns] += 1
        return await self.advance_to(whole_milliseconds_ns(sent_at_ns) + self._latency_ns)

    def _refuse(self, kind: VenueEventKind, client_order_id: str, refusal: ExchangeError) -> None:
        time_ns = whole_milliseconds_ns(self._exchange.now_ns)
        self._history.append(VenueEvent(kind, client_order_id, time_ns, "", str(refusal)))

    def _news(self) -> list[VenueEvent]:
        told, self._told = self._told, len(self._history)
        return self._history[told:]


def _traded(settings: Settings, catalog: InstrumentCatalog) -> InstrumentCatalog:
    return catalog.select(settings.source.instruments) if settings.source.instruments else catalog
