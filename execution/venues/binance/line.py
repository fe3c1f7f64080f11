"""Everything that an open venue holds: session, clients, streams and their tasks, put together and let go."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Self

from execution.venues.binance.budget import Budget, WindowBudget
from execution.venues.binance.checks import check_product
from execution.venues.binance.dead_mans_switch import DeadMansSwitch
from execution.venues.binance.inquiry import Inquiry, Sleep
from execution.venues.binance.intake import EventInbox, UserEventIntake
from execution.venues.binance.order_api import OrderApi, OrderConnection
from execution.venues.binance.orders import TrackedOrders
from execution.venues.binance.outcomes import RequestFailed
from execution.venues.binance.products import Product
from execution.venues.binance.rest import Access, Caller, RestClient, new_session
from execution.venues.binance.resync import Resync
from execution.venues.binance.server_clock import SAMPLES, ServerClock
from execution.venues.binance.signing import signer_from
from execution.venues.binance.user_stream import StreamTerms, UserStream
from execution.venues.interface import VenueOutcomeUnknown
from sluice.clock import Clock
from sluice.config.settings import Settings
from sluice.errors import NotRunningError
from sluice.instruments import Instrument, InstrumentCatalog

_log = logging.getLogger("execution.venues.binance")
_START_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a venue is made from."""

    settings: Settings
    catalog: InstrumentCatalog
    clock: Clock
    sleep: Sleep
    budget: Budget

    @classmethod
    def of(cls, settings: Settings, catalog: InstrumentCatalog, clock: Clock, sleep: Sleep) -> Self:
        """Return the plan with this process's own budget."""
        return cls(settings, catalog, clock, sleep, WindowBudget(reserve_percent=settings.binance.reserve_percent))

    def instruments(self, product: Product) -> list[Instrument]:
        """Return the instruments of a product that may be traded."""
        named = self.settings.source.instruments
        traded = self.catalog.select(named) if named else self.catalog
        return [instrument for instrument in traded if instrument.venue is product.venue]

    @property
    def products(self) -> list[Product]:
        """Return the products in which there is something to trade."""
        return [product for product in Product if self.instruments(product)]

    def access(self) -> Access:
        """Return what the clients share. Raises `ConfigurationError` where there is no usable key."""
        binance = self.settings.binance
        return Access(binance.api_key.get_secret_value(), signer_from(binance), self.budget, ServerClock(self.clock),
                      binance.recv_window_ms, binance.request_timeout_ms / 1000, binance.synchronise_clock)


class Line:
    """The open line to the exchange."""

    def __init__(self, plan: Plan, access: Access, orders: TrackedOrders, inbox: EventInbox) -> None:
        """Connect nothing yet; needs a running event loop."""
        self.access = access
        self._plan = plan
        self._inbox = inbox
        self._open = AsyncExitStack()
        binance, environment = plan.settings.binance, plan.settings.run.environment
        self._addresses = {each: binance.resolved(each.settings_name, environment) for each in plan.products}
        self._session = new_session(access.timeout_s)
        self.rest = RestClient(self._session, {each: found.rest_url for each, found in self._addresses.items()}, access)
        self.order_caller = self._order_caller()
        self.inquiry = Inquiry(self.rest, access, plan.sleep)
        self.intake = UserEventIntake(orders, plan.catalog, inbox)
        self.resync = self.intake.resync = Resync(self.inquiry, orders, inbox.put, plan.sleep)
        self.switch = DeadMansSwitch(self.rest, orders, binance.countdown_s, binance.heartbeat_s)

    async def open(self) -> None:
        """Check the account, join the user streams. Raises `NotRunningError` and `ConfigurationError`."""
        self._open.push_async_callback(self._session.close)
        if isinstance(self.order_caller, OrderApi):
            self._open.push_async_callback(self.order_caller.close)
        await self._measure_clock()
        named = frozenset(self._plan.settings.source.instruments)
        for product in self._plan.products:
            await check_product(self.rest, product, self._plan.instruments(product), named)
        self._spawn(self.resync.run())
        for product in self._plan.products:
            await self._follow(product)
        self._spawn(self.switch.run())
        # Runs first when the line closes: nobody beats any more, then what is armed is disarmed.
        self._open.push_async_callback(self.switch.disarm)

    async def close(self) -> None:
        """Leave everything in order."""
        await self._open.aclose()

    def _order_caller(self) -> Caller:
        if self._plan.settings.binance.order_route == "rest":
            return self.rest
        connections = {each: OrderConnection(self._session, found.order_api_url, self.access.timeout_s)
                       for each, found in self._addresses.items()}
        return OrderApi(connections, self.rest, self.access)

    async def _measure_clock(self) -> None:
        if not self.access.synchronise_clock or not self._plan.products:
            return
        try:
            await self.rest.measure_clock(self._plan.products[0], SAMPLES)
        except (VenueOutcomeUnknown, RequestFailed) as error:
            raise NotRunningError(f"the exchange must tell its time, did not: {error}",
                                  fix="see that the rest_url of [binance] is right and reachable") from None

    async def _follow(self, product: Product) -> None:
        terms = StreamTerms.from_settings(self._plan.settings.binance, product, self._addresses[product].stream_url)
        stream = UserStream(self._session, self.rest, terms, self.intake, self._plan.sleep)
        self._open.push_async_callback(stream.close)
        self.intake.streams[product] = stream
        try:
            await asyncio.wait_for(stream.start(), _START_S)
        except TimeoutError:
            raise NotRunningError(f"the user stream of {product.name} must be joined, was not within {_START_S:g} s",
                                  fix="see that the stream_url of [binance] is right and reachable") from None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._tell_bug)
        self._open.push_async_callback(_stop, task)

    def _tell_bug(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("a task of the venue has ended by a bug", exc_info=error)
            self._inbox.fail(error)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
