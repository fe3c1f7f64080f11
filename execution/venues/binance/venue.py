"""Binance futures as execution talks to it: orders, cancels, fates, and events at any time.

Nothing is concluded from silence: what an answer does not prove raises `VenueOutcomeUnknown`, and a refusal is one that
the exchange spoke out or that happened before anything left this process.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from execution.domain import OrderRequest
from execution.venues.binance.holdings import account_holdings
from execution.venues.binance.inquiry import Fate, Sleep
from execution.venues.binance.intake import EventInbox
from execution.venues.binance.line import Line, Plan
from execution.venues.binance.orders import ENDS, TrackedOrders
from execution.venues.binance.outcomes import UNKNOWN_ORDER, RequestFailed, Verdict
from execution.venues.binance.products import CANCEL_ORDER, PLACE_CONDITIONAL, product_of
from execution.venues.binance.requests import place_order
from execution.venues.binance.translation import acknowledged, canceled
from execution.venues.binance.wire import ConditionalAnswer, OrderAnswer, read
from execution.venues.interface import (
    Holdings,
    VenueCommand,
    VenueCommandKind,
    VenueEvent,
    VenueEventKind,
    VenueOutcomeUnknown,
)
from sluice.clock import NS_PER_MS, Clock, SystemClock, whole_milliseconds_ns
from sluice.config.settings import Settings
from sluice.errors import ConfigurationError, InputError, NotRunningError
from sluice.instruments import Instrument, InstrumentCatalog

_log = logging.getLogger("execution.venues.binance")
#: Questions at one time; each takes request weight.
_QUESTIONS_AT_ONCE = 4


@dataclass(slots=True)
class _Case:
    """An order whose fate is asked for."""

    request: OrderRequest
    sent_at_ns: int = 0
    cancel_asked: bool = False


class BinanceVenue:
    """The venue `binance`: both products of one account. `start` first."""

    name = "binance"

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._access = plan.access()
        self._orders = TrackedOrders()
        self._inbox = EventInbox()
        self._line: Line | None = None

    @classmethod
    def from_settings(cls, settings: Settings, catalog: InstrumentCatalog, clock: Clock | None = None,
                      sleep: Sleep = asyncio.sleep) -> Self:
        """Return the venue, not yet connected. Raises `ConfigurationError` where there is no usable key.

        `clock` stamps requests; the machine's where it is None. `sleep` waits between questions and tries.
        """
        if settings.run.environment == "live":
            _require_second_step(settings)
            _tell_limits(settings)
        return cls(Plan.of(settings, catalog, clock or SystemClock(), sleep))

    @property
    def events_received(self) -> int:
        """Return how many messages the user streams have brought."""
        return self._line.intake.received if self._line else 0

    async def start(self) -> None:
        """Check the account and join the user streams. Raises `NotRunningError` and `ConfigurationError`."""
        line = Line(self._plan, self._access, self._orders, self._inbox)
        try:
            await line.open()
        except BaseException:
            await line.close()
            raise
        self._line = line

    async def next_events(self) -> list[VenueEvent]:
        """Wait until the user streams or a question have brought something, and return it."""
        return await self._inbox.wait()

    def take_events(self) -> list[VenueEvent]:
        """Return what the user streams have brought so far, without waiting."""
        return self._inbox.take()

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        """Send an order; return ACCEPTED or REJECTED. Raises `VenueOutcomeUnknown`."""
        line = self._required()
        endpoint, parameters = place_order(request)
        self._orders.track(request.client_order_id, request.instrument, request.quantity)
        try:
            body = await line.order_caller.call(product_of(request.instrument), endpoint, parameters, sent_at_ns)
        except VenueOutcomeUnknown:
            # It may rest, and must not outlive us.
            self._orders.leave_unanswered(request.client_order_id)
            line.switch.nudge()
            raise
        except RequestFailed as error:
            self._orders.forget(request.client_order_id)
            return [self._own_word(VenueEventKind.REJECTED, request.client_order_id, sent_at_ns, error)]
        if endpoint is PLACE_CONDITIONAL:
            return _conditional_accepted(read(body, ConditionalAnswer))
        answer = _about(request.client_order_id, read(body, OrderAnswer))
        events = self._observed(acknowledged(answer), answer)
        line.switch.nudge()
        return events

    async def cancel(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> list[VenueEvent]:
        """Ask for a cancel; return CANCELED or CANCEL_REJECTED. Raises `VenueOutcomeUnknown`."""
        line = self._required()
        parameters = {"symbol": instrument.symbol, "origClientOrderId": client_order_id}
        try:
            body = await line.order_caller.call(product_of(instrument), CANCEL_ORDER, parameters, sent_at_ns)
        except RequestFailed as error:
            if error.outcome.verdict is Verdict.NOT_CARRIED_OUT:
                # Nobody said no. As an open question it is asked about until the cancel is taken or the order is over.
                raise VenueOutcomeUnknown(f"the cancel is not carried out yet: {error}") from None
            if error.outcome.code in UNKNOWN_ORDER:
                # It may be over, and we may have missed that.
                line.resync.ask(client_order_id)
            return [self._own_word(VenueEventKind.CANCEL_REJECTED, client_order_id, sent_at_ns, error)]
        answer = _about(client_order_id, read(body, OrderAnswer))
        return self._observed(canceled(answer), answer)

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        """Return what became of every order of the commands; cancel again what should be and is not.

        An order that the answer leaves out is certainly not at the exchange. Raises `VenueOutcomeUnknown`.
        """
        self._required()
        turns = asyncio.Semaphore(_QUESTIONS_AT_ONCE)

        async def one(case: _Case) -> list[VenueEvent]:
            async with turns:
                return await self._recovered(case)

        found = await asyncio.gather(*map(one, _cases(commands)), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise VenueOutcomeUnknown(str(each)) if isinstance(each, InputError) else each
        events = [event for each in found if not isinstance(each, BaseException) for event in each]
        return sorted(events, key=lambda event: event.event_time_ns)

    async def holdings(self) -> Holdings:
        """Return what the account holds in the products that we trade. Raises `VenueOutcomeUnknown`."""
        plan = self._plan
        traded = [instrument for product in plan.products for instrument in plan.instruments(product)]
        return await account_holdings(self._required().rest, plan.products, traded)

    async def close(self) -> None:
        """Leave the exchange in order: no countdown runs on, what rests stays."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def _recovered(self, case: _Case) -> list[VenueEvent]:
        line, request = self._required(), case.request
        identity, instrument = request.client_order_id, request.instrument
        self._orders.track(identity, instrument, request.quantity)
        fate = await line.inquiry.certain_fate(identity, instrument, case.sent_at_ns)
        if fate is None:
            self._orders.forget(identity)
            return []
        if fate.rests and case.cancel_asked:
            fate = await self._cancelled_again(case, fate)
        self._observed(fate.events, fate.order)
        line.switch.nudge()
        return fate.events

    async def _cancelled_again(self, case: _Case, fate: Fate) -> Fate:
        line, request = self._required(), case.request
        parameters = {"symbol": request.instrument.symbol, "origClientOrderId": request.client_order_id}
        try:
            await line.order_caller.call(product_of(request.instrument), CANCEL_ORDER, parameters)
        except RequestFailed as error:
            if error.outcome.code not in UNKNOWN_ORDER:
                raise VenueOutcomeUnknown(f"the cancel must be taken, was not: {error}") from None
        again = await line.inquiry.fate(request.client_order_id, request.instrument)
        return fate if again is None else again

    def _observed(self, events: list[VenueEvent], answer: OrderAnswer) -> list[VenueEvent]:
        missed = [self._orders.observe(event, answer.executed_qty) for event in events]
        if not missed or not missed[-1]:
            return events
        # The user stream has these fills, or had them; asking costs little and settles it. The end is told with them:
        # told alone, it would free what is set aside for a fill that nobody has counted yet.
        self._required().resync.ask(answer.client_order_id)
        return [event for event in events if event.kind not in ENDS]

    def _own_word(self, kind: VenueEventKind, client_order_id: str, sent_at_ns: int,
                  error: RequestFailed) -> VenueEvent:
        """Return an event that the exchange gives no time for: the time of its answer."""
        time_ns = max(sent_at_ns, whole_milliseconds_ns(self._access.clock.now_ns()))
        return VenueEvent(kind, client_order_id, time_ns, "", error.outcome.text)

    def _required(self) -> Line:
        if self._line is None:
            raise NotRunningError("the venue must be started before it is used, was not")
        return self._line


def _cases(commands: Iterable[VenueCommand]) -> list[_Case]:
    cases: dict[str, _Case] = {}
    for command in commands:
        case = cases.setdefault(command.request.client_order_id, _Case(command.request))
        if command.kind is VenueCommandKind.SUBMIT:
            case.sent_at_ns = max(case.sent_at_ns, command.sent_at_ns)
        else:
            case.cancel_asked = True
    return list(cases.values())


def _about(client_order_id: str, answer: OrderAnswer) -> OrderAnswer:
    if answer.client_order_id != client_order_id:
        raise VenueOutcomeUnknown(f"the answer must be about {client_order_id}, was {answer.client_order_id}")
    return answer


def _conditional_accepted(answer: ConditionalAnswer) -> list[VenueEvent]:
    return [VenueEvent(VenueEventKind.ACCEPTED, answer.client_algo_id, answer.create_time * NS_PER_MS,
                       str(answer.algo_id))]


def _require_second_step(settings: Settings) -> None:
    # Settings that were made without loading them have not been checked against each other.
    if not settings.binance.live_orders:
        raise ConfigurationError(["binance.live_orders must be true where run.environment is live, was False"],
                                 fix="set binance.live_orders = true, or trade in another environment")


def _tell_limits(settings: Settings) -> None:
    limits = ", ".join(f"{name} {value}" for name, value in settings.risk.limits)
    _log.warning("LIVE orders on Binance for account %s; limits: %s", settings.account.name, limits)
