"""Open interest, which no stream of the venue carries: asked for over REST, and put into the stream as a frame.

The frame is the answer's body as it was sent, so a recording has it and a replay sees the same. What cannot be had is
counted and said once; it holds nothing else up.
"""

import asyncio
import logging
from collections.abc import Callable

from dataflows.codecs.binance import decode, symbol_of
from dataflows.codecs.binance_events import OpenInterest
from dataflows.metrics import SOURCE_FAILED_POLLS, SOURCE_POLLS
from dataflows.sources.exchange.backoff import Backoff
from dataflows.sources.exchange.handoff import Handoff
from dataflows.sources.exchange.rest_client import NoAnswerError, Request, RestClient
from sluice.instruments import Instrument

_LOG = logging.getLogger(__name__)
#: What a request weighs at Binance, and the part of the budget that polls leave free: snapshots of books go first.
WEIGHT, SHARE = 1, 0.5
_REQUEST = Request("openInterest", WEIGHT, SHARE)
_MINUTE_S = 60.0


def poll_interval_s(wanted_s: float, instruments: int, weight_a_minute: int) -> float:
    """Return the time between two polls of an instrument: the wanted one, or more where the budget is too small."""
    return max(wanted_s, instruments * WEIGHT * _MINUTE_S / (weight_a_minute * SHARE))


async def fetch_open_interest(client: RestClient, instrument: Instrument) -> bytes:
    """Return the open interest of an instrument as a frame. Raises `NoAnswerError`."""
    payload = (await client.get(instrument, _REQUEST)).payload
    if symbol_of(payload) != instrument.symbol or not isinstance(decode(payload), OpenInterest):
        raise NoAnswerError(
            f"{instrument.symbol}: openInterest must be answered with that of the symbol, was {payload[:200]!r}")
    return payload


class OpenInterestPoll:
    """The polls of one instrument. `backoff` says how long to wait after one that failed."""

    def __init__(
        self, instrument: Instrument, client: RestClient, handoff: Handoff, backoff: Backoff, *, interval_s: float,
        first_after_s: float, now_s: Callable[[], float],
    ) -> None:
        self._instrument, self._client, self._handoff, self._backoff = instrument, client, handoff, backoff
        self._interval_s, self._first_after_s, self._now_s = interval_s, first_after_s, now_s
        self._failing = False

    async def run(self) -> None:
        """Poll for ever. Raises nothing that another poll may mend."""
        await asyncio.sleep(self._first_after_s)
        while True:
            began_s = self._now_s()
            if await self._poll():
                await asyncio.sleep(max(self._interval_s - (self._now_s() - began_s), 0.0))
            else:
                await asyncio.sleep(self._backoff.next_s())

    async def _poll(self) -> bool:
        """Put what is answered into the stream; tell whether it was something."""
        try:
            payload = await fetch_open_interest(self._client, self._instrument)
        except NoAnswerError as error:
            return self._failed(error.message)
        if not self._handoff.put(payload, self._instrument.symbol):
            return self._failed(f"{self._instrument.symbol}: the flow was too slow, its queue was full")
        SOURCE_POLLS.inc()
        if self._failing:
            _LOG.info("open interest of %s is known again", self._instrument.symbol)
        self._failing = False
        self._backoff.reset()
        return True

    def _failed(self, reason: str) -> bool:
        """Count a failure, and say the first of several in a row."""
        SOURCE_FAILED_POLLS.inc()
        if not self._failing:
            _LOG.warning("open interest is not known: %s", reason)
        self._failing = True
        return False
