"""What runs beside the commands where a venue speaks by itself: its events are journalled, and doubts are followed up.

An order whose fate is unknown, whose first word or whose cancel is awaited for long, is asked about with growing
pauses until the venue has told; an order that rests is asked about now and then, so that a word that was lost on the
way is found. Nothing is ever concluded from silence.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from execution.desk import Desk
from execution.domain import OrderState
from execution.recovery import Recovery, commands_of
from execution.venues.interface import EventStream, VenueOutcomeUnknown
from sluice.errors import SluiceError
from sluice.orders import OrderStatus

_log = logging.getLogger("execution.listening")
#: Statuses in which the venue owes us a word. PENDING is not among them: its command is being carried out.
_DOUBTFUL = frozenset({OrderStatus.UNKNOWN, OrderStatus.SENT, OrderStatus.CANCEL_PENDING})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before a question, in seconds."""

    look_s: float = 0.25
    doubt_s: float = 1.0
    longest_doubt_s: float = 30.0
    resting_s: float = 60.0


@dataclass(slots=True)
class _Watch:
    status: OrderStatus
    ask_at_s: float
    pause_s: float


class Listening:
    """The two tasks of a venue that speaks by itself: `listen` and `follow_up`. Both end where the desk fails."""

    def __init__(self, desk: Desk, stream: EventStream, recovery: Recovery, patience: Patience | None = None,
                 sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._desk = desk
        self._stream = stream
        self._recovery = recovery
        self._patience = patience or Patience()
        self._sleep = sleep
        self._watched: dict[str, _Watch] = {}

    async def listen(self) -> None:
        """Journal what the venue tells, for ever."""
        while not self._desk.failed.is_set():
            events = await self._stream.next_events()
            try:
                await self._desk.exclusively(self._desk.hear(events))
            except SluiceError as error:
                _log.error("events of the venue could not be journalled: %s", error)
                # Memory may lack them now; a start from the journal asks the venue for everything again.
                self._desk.failed.set()

    async def follow_up(self) -> None:
        """Ask about orders that the venue owes us a word about, for ever."""
        while not self._desk.failed.is_set():
            await self._sleep(self._patience.look_s)
            await asyncio.gather(*map(self._ask, list(self._due(asyncio.get_running_loop().time()))))

    def _due(self, now_s: float) -> Iterator[OrderState]:
        still_open = {order.client_order_id: order for order in self._desk.ledger.open_orders()
                      if order.status is not OrderStatus.PENDING}
        self._watched = {identity: watch for identity, watch in self._watched.items()
                         if identity in still_open and watch.status is still_open[identity].status}
        for identity, order in still_open.items():
            watch = self._watched.get(identity)
            if watch is None:
                self._watched[identity] = self._first_watch(order.status, now_s)
            elif now_s >= watch.ask_at_s:
                watch.ask_at_s, watch.pause_s = now_s + watch.pause_s, self._longer(watch)
                yield order

    def _first_watch(self, status: OrderStatus, now_s: float) -> _Watch:
        pause_s = self._patience.doubt_s if status in _DOUBTFUL else self._patience.resting_s
        return _Watch(status, now_s + pause_s, pause_s)

    def _longer(self, watch: _Watch) -> float:
        if watch.status not in _DOUBTFUL:
            return watch.pause_s
        return min(watch.pause_s * 2, self._patience.longest_doubt_s)

    async def _ask(self, order: OrderState) -> None:
        # Outside the desk's turn: an answer may take seconds, and cancels must not wait for it.
        try:
            events = await self._desk.venue.recover(commands_of([order]))
            await self._desk.exclusively(self._recovery.settle(events, {order.client_order_id}))
        except VenueOutcomeUnknown as error:
            _log.info("the venue does not tell about %s yet: %s", order.client_order_id, error)
        except SluiceError as error:
            _log.error("the fate of %s could not be settled: %s", order.client_order_id, error)
        except Exception:  # noqa: BLE001  # a bug met by one question must not end the others
            _log.exception("the venue's client failed on the fate of %s", order.client_order_id)
