"""Asks for the fate of orders about which a word was missed, until the exchange has told."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from execution import metrics
from execution.venues.binance.inquiry import Inquiry, Sleep
from execution.venues.binance.orders import TrackedOrder, TrackedOrders
from execution.venues.interface import VenueEvent, VenueOutcomeUnknown
from sluice.errors import InputError

_log = logging.getLogger("execution.venues.binance")
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0


class Resync:
    """Works off a list of orders to ask about. `run` is its task."""

    def __init__(self, inquiry: Inquiry, orders: TrackedOrders, deliver: Callable[[list[VenueEvent]], None],
                 sleep: Sleep) -> None:
        self._inquiry = inquiry
        self._orders = orders
        self._deliver = deliver
        self._sleep = sleep
        self._asked: dict[str, None] = {}
        self._news = asyncio.Event()

    def ask(self, client_order_id: str) -> None:
        """Ask about an order soon; one that is on the list stays there once."""
        self._asked[client_order_id] = None
        self._news.set()

    async def run(self) -> None:
        """Ask for ever."""
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._news.wait()
            self._news.clear()
            failed = [identity for identity in list(self._asked) if not await self._one(identity)]
            if not failed:
                pause_s = _FIRST_PAUSE_S
                continue
            await self._sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            for identity in failed:
                self.ask(identity)

    async def _one(self, client_order_id: str) -> bool:
        """Tell whether the question is settled."""
        self._asked.pop(client_order_id, None)
        order = self._orders.find(client_order_id)
        if order is None:
            return True
        try:
            await self._answer(order)
        except (VenueOutcomeUnknown, InputError) as error:
            _log.warning("the fate of %s is asked for again: %s", client_order_id, error)
            return False
        return True

    async def _answer(self, order: TrackedOrder) -> None:
        metrics.QUESTIONS.inc()
        fate = await self._inquiry.fate(order.client_order_id, order.instrument)
        # Not known there: it may be on its way still. Who sent it asks with certainty, so nothing is concluded here.
        if fate is not None:
            for event in fate.events:
                self._orders.observe(event)
            self._deliver(fate.events)
