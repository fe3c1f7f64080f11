"""The dead man's switch: while orders rest, the exchange is told to cancel them unless it hears from us in time.

It is armed a symbol, and disarmed when nothing rests there, and when we go in order. A beat that fails is missed, not
fatal: the countdown is several beats long.
"""

import asyncio
import logging

from execution import metrics
from execution.venues.binance.orders import TrackedOrders
from execution.venues.binance.outcomes import RequestFailed
from execution.venues.binance.products import COUNTDOWN, product_of
from execution.venues.binance.rest import Caller
from execution.venues.interface import VenueOutcomeUnknown
from sluice.instruments import Instrument

_log = logging.getLogger("execution.venues.binance")


class DeadMansSwitch:
    """Beats while orders rest. `run` is its task; a countdown of 0 does nothing at all."""

    def __init__(self, caller: Caller, orders: TrackedOrders, countdown_s: int, heartbeat_s: float) -> None:
        self._caller = caller
        self._orders = orders
        self._countdown_s = countdown_s
        self._heartbeat_s = heartbeat_s
        self._armed: set[Instrument] = set()
        self._news = asyncio.Event()

    def nudge(self) -> None:
        """Beat now where something rests in a symbol that is not armed."""
        if self._countdown_s and self._orders.resting_symbols() - self._armed:
            self._news.set()

    async def run(self) -> None:
        """Beat for ever."""
        if not self._countdown_s:
            return
        while True:
            await self.beat()
            # What came while the beat was under way is armed by the next one at once.
            try:
                await asyncio.wait_for(self._news.wait(), self._heartbeat_s)
            except TimeoutError:
                continue
            finally:
                self._news.clear()

    async def beat(self) -> None:
        """Give one sign of life for every symbol in which orders rest, and disarm the others."""
        resting = self._orders.resting_symbols()
        for instrument in sorted(resting | self._armed, key=lambda each: each.key):
            await self._set(instrument, self._countdown_s if instrument in resting else 0)

    async def disarm(self) -> None:
        """Stop every countdown, so that what rests stays."""
        for instrument in sorted(self._armed, key=lambda each: each.key):
            await self._set(instrument, 0)

    async def _set(self, instrument: Instrument, countdown_s: int) -> None:
        parameters = {"symbol": instrument.symbol, "countdownTime": str(countdown_s * 1000)}
        try:
            await self._caller.call(product_of(instrument), COUNTDOWN, parameters)
        except (RequestFailed, VenueOutcomeUnknown) as error:
            metrics.BEATS_MISSED.inc()
            _log.warning("the countdown of %s could not be set to %s s: %s", instrument.key, countdown_s, error)
            if countdown_s:
                self._armed.add(instrument)  # it may be armed, so it must be disarmed
            return
        (self._armed.add if countdown_s else self._armed.discard)(instrument)
