"""What comes in by the user stream: read, checked for gaps, and kept until execution takes it."""

import asyncio
import logging

from execution import metrics
from execution.venues.binance.orders import ENDS, TrackedOrders
from execution.venues.binance.products import Product
from execution.venues.binance.resync import Resync
from execution.venues.binance.translation import told
from execution.venues.binance.user_events import (
    AccountUpdate,
    UserEvent,
    UserEventKind,
    exchange_made,
    read_user_event,
)
from execution.venues.binance.user_stream import UserStream
from execution.venues.interface import VenueEvent, VenueEventKind
from sluice.clock import NS_PER_MS
from sluice.errors import InputError, InvariantError
from sluice.instruments import InstrumentCatalog

_log = logging.getLogger("execution.venues.binance")
_AMENDMENT = "AMENDMENT"


class EventInbox:
    """Events that wait for execution."""

    def __init__(self) -> None:
        self._events: list[VenueEvent] = []
        self._news = asyncio.Event()
        self._failure: BaseException | None = None

    def put(self, events: list[VenueEvent]) -> None:
        """Add events."""
        if events:
            self._events += events
            self._news.set()

    def fail(self, error: BaseException) -> None:
        """Let whoever waits know that something which brings events has ended by a bug."""
        self._failure = error
        self._news.set()

    def take(self) -> list[VenueEvent]:
        """Return what waits, and forget it. Raises `InvariantError` where events can no longer come."""
        if self._failure is not None:
            raise InvariantError(f"a task of the venue must run, has ended: {self._failure!r}") from self._failure
        taken, self._events = self._events, []
        self._news.clear()
        return taken

    async def wait(self) -> list[VenueEvent]:
        """Return what waits as soon as there is something."""
        await self._news.wait()
        return self.take()


class UserEventIntake:
    """Hears the user streams of every product."""

    def __init__(self, orders: TrackedOrders, catalog: InstrumentCatalog, inbox: EventInbox) -> None:
        self.received = 0
        self.resync: Resync | None = None
        self.streams: dict[Product, UserStream] = {}
        self._orders = orders
        self._catalog = catalog
        self._inbox = inbox

    def on_message(self, product: Product, payload: bytes) -> None:
        """Take a message; what cannot be read may have been a fill, so every order is asked about then."""
        self.received += 1
        try:
            event = read_user_event(payload)
            self._take(product, event)
        except InputError as error:
            metrics.UNREADABLE.inc()
            _log.error("%s", error)
            self.on_gap(product)

    def on_bug(self, product: Product, error: BaseException) -> None:
        """Take note that a stream has ended by a bug: deaf, the venue must not go on."""
        _log.critical("the user stream of %s has ended by a bug", product.name, exc_info=error)
        self._inbox.fail(error)

    def on_gap(self, product: Product) -> None:
        """Ask about every order of a product that may still change."""
        metrics.GAPS.inc()
        for order in self._orders.of(product):
            self._ask(order.client_order_id)

    def _take(self, product: Product, event: UserEvent) -> None:
        metrics.USER_EVENTS.labels(event.kind.name).inc()
        if event.kind is UserEventKind.KEY_EXPIRED and product in self.streams:
            self.streams[product].lose_key()
        elif event.kind is UserEventKind.MARGIN_CALL:
            _log.critical("the exchange calls for margin in %s", product.name)
        elif event.kind is UserEventKind.SETTINGS:
            _log.warning("the settings of the account in %s were changed, not by us: %s", product.name, event.name)
        elif event.account is not None:
            _tell_balances(event.account)
        elif event.order is not None:
            self._order(product, event)

    def _order(self, product: Product, event: UserEvent) -> None:
        update = event.order
        assert update is not None, "the caller has looked"
        if exchange_made(update.client_order_id):
            metrics.EXCHANGE_MADE.inc()
            self._alarm(event, f"the exchange works on the account itself: {update.client_order_id} of {update.symbol} "
                        f"is {update.status}, {update.last_quantity} filled at {update.last_price}")
            return
        if update.execution == _AMENDMENT:
            self._alarm(event, f"order {update.client_order_id} of {update.symbol} was amended, not by us")
            return
        found = told(event, self._settlement_asset(product, update.symbol))
        if found is None:
            return
        if self._orders.observe(found, update.filled_quantity):
            _log.warning("a fill of %s was missed", update.client_order_id)
            self._ask(update.client_order_id)
            if found.kind in ENDS:
                return  # told with the fills that were missed, see the venue
        self._inbox.put([found])

    def _alarm(self, event: UserEvent, words: str) -> None:
        assert event.order is not None, "the caller has looked"
        time_ns = event.event_time_ms * NS_PER_MS
        self._inbox.put([VenueEvent(
            VenueEventKind.ALARM, event.order.client_order_id, time_ns, str(event.order.order_id), words)])

    def _settlement_asset(self, product: Product, symbol: str) -> str:
        instrument = self._catalog.get(f"{product.venue.name}:{symbol}")
        return instrument.settlement_asset if instrument else ""

    def _ask(self, client_order_id: str) -> None:
        if self.resync is not None:
            self.resync.ask(client_order_id)


def _tell_balances(update: AccountUpdate) -> None:
    # Reports carry fills and fees alone; what else moves a balance (funding, transfers) is at least said and counted.
    for balance in update.balances:
        if balance.change:
            metrics.BALANCE_CHANGES.labels(update.reason, balance.asset).inc()
            _log.warning("%s has changed the balance by %s %s, which no report tells", update.reason, balance.change,
                         balance.asset)
