"""Keeping one book supplied with snapshots: at its first difference, after every gap, and now and then.

The periodic one heals what the feed cannot see: a book that ran out of the levels it knows, or was found crossed.
"""

import asyncio
import logging

from dataflows.metrics import SOURCE_BOOK_GAPS, SOURCE_SNAPSHOTS
from dataflows.sources.exchange.backoff import Backoff
from dataflows.sources.exchange.book_guard import BookGuard, read_head
from dataflows.sources.exchange.handoff import Handoff
from dataflows.sources.exchange.rest_client import NoAnswerError, RestClient
from dataflows.sources.exchange.snapshots import fetch_snapshot
from sluice.instruments import Instrument

_LOG = logging.getLogger(__name__)


class BookSnapshots:
    """The snapshots of one instrument. `on_depth` and `run` belong to the same event loop."""

    def __init__(
        self, instrument: Instrument, client: RestClient, handoff: Handoff, backoff: Backoff, interval_s: float
    ) -> None:
        self._instrument, self._client, self._handoff = instrument, client, handoff
        self._backoff, self._interval_s = backoff, interval_s
        self._guard = BookGuard()
        self._wanted = asyncio.Event()

    def on_depth(self, payload: bytes) -> None:
        """Take notice of a difference."""
        if (head := read_head(payload)) is None:
            return
        gaps = self._guard.gaps
        if self._guard.take(head):
            self._wanted.set()
        if self._guard.gaps > gaps:
            SOURCE_BOOK_GAPS.inc()

    async def run(self) -> None:
        """Fetch whenever one is wanted, for ever."""
        await self._wanted.wait()
        while True:
            self._wanted.clear()
            if not await self._fetch():
                self._wanted.set()
                await asyncio.sleep(self._backoff.next_s())
                continue
            self._backoff.reset()
            try:
                await asyncio.wait_for(self._wanted.wait(), self._interval_s)
            except TimeoutError:
                continue

    async def _fetch(self) -> bool:
        """Put a snapshot into the stream; tell whether the differences can be joined to it."""
        try:
            snapshot = await fetch_snapshot(self._client, self._instrument)
        except NoAnswerError as error:
            _LOG.warning("%s", error.message)
            return False
        if not self._handoff.put(snapshot.answer.payload, self._instrument.symbol):
            return False
        SOURCE_SNAPSHOTS.inc()
        return self._guard.take_snapshot(snapshot.last_update_id)
