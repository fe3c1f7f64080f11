"""The live feed: every stream of every instrument by the machine's clock, with books that can always be joined."""

import asyncio
from collections.abc import Callable

from dataflows.sources.exchange.backoff import Backoff, Draw
from dataflows.sources.exchange.book_snapshots import BookSnapshots
from dataflows.sources.exchange.channel import Channel
from dataflows.sources.exchange.handoff import Handoff
from dataflows.sources.exchange.open_interest import OpenInterestPoll, poll_interval_s
from dataflows.sources.exchange.rest_client import RestClient
from dataflows.sources.exchange.streams import (
    ConnectionPlan,
    depth_instruments,
    plan_connections,
    polled_instruments,
)
from dataflows.sources.exchange.weight_budget import WeightBudget
from sluice.config.market_source import ExchangeSourceSettings
from sluice.instruments import InstrumentCatalog

#: Binance takes at most 300 connections in five minutes from an address.
CONNECT_EVERY_S = 0.1
#: Longest pause after a poll that failed; features know open interest for 300 s.
POLL_AGAIN_MOST_S = 60.0


class LiveFeed:
    """Reads an exchange into a queue, until cancelled."""

    def __init__(
        self, settings: ExchangeSourceSettings, catalog: InstrumentCatalog, handoff: Handoff, *,
        now_s: Callable[[], float], draw: Draw,
    ) -> None:
        """`now_s` is any steady clock, `draw` gives numbers in [0, 1)."""
        self._settings, self._catalog, self._handoff = settings, catalog, handoff
        self._now_s, self._draw = now_s, draw
        self._books: dict[bytes, BookSnapshots] = {}

    async def run(self) -> None:
        """Keep every connection and every book, and poll. Raises nothing that a retry may mend."""
        budget = WeightBudget(self._settings.request_weight)
        async with RestClient(self._settings, budget, now_s=self._now_s) as client, asyncio.TaskGroup() as tasks:
            for instrument in depth_instruments(self._settings, self._catalog):
                book = BookSnapshots(
                    instrument, client, self._handoff, self._backoff(), self._settings.snapshot_interval_s)
                self._books[instrument.symbol.lower().encode()] = book
                tasks.create_task(book.run())
            for poll in self._polls(client):
                tasks.create_task(poll.run())
            for plan in plan_connections(self._settings, self._catalog):
                tasks.create_task(self._channel(plan).run())
                await asyncio.sleep(CONNECT_EVERY_S)

    def _polls(self, client: RestClient) -> list[OpenInterestPoll]:
        """Return the polls of all instruments, spread over the time between two of one."""
        settings, polled = self._settings, polled_instruments(self._settings, self._catalog)
        interval_s = poll_interval_s(settings.open_interest_interval_s, len(polled), settings.request_weight)
        most_s = max(interval_s, POLL_AGAIN_MOST_S)
        return [OpenInterestPoll(
            instrument, client, self._handoff, Backoff(interval_s, most_s, self._draw), interval_s=interval_s,
            first_after_s=interval_s * place / len(polled), now_s=self._now_s)
            for place, instrument in enumerate(polled)]

    def _on_depth(self, symbol: bytes, payload: bytes) -> None:
        if (book := self._books.get(symbol)) is not None:
            book.on_depth(payload)

    def _channel(self, plan: ConnectionPlan) -> Channel:
        settings = self._settings
        return Channel(
            plan, self._handoff, self._backoff(), self._on_depth, life_s=settings.connection_life_s,
            overlap_s=settings.overlap_ms / 1000, steady_s=settings.reconnect_most_ms / 1000, now_s=self._now_s)

    def _backoff(self) -> Backoff:
        return Backoff(self._settings.reconnect_ms / 1000, self._settings.reconnect_most_ms / 1000, self._draw)
