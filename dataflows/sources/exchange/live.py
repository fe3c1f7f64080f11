"""The live feed: every stream of every instrument by the machine's clock, with books that can always be joined."""

import asyncio
from collections.abc import Callable

from dataflows.sources.exchange.backoff import Backoff, Draw
from dataflows.sources.exchange.book_snapshots import BookSnapshots
from dataflows.sources.exchange.channel import Channel
from dataflows.sources.exchange.handoff import Handoff
from dataflows.sources.exchange.snapshots import SnapshotClient
from dataflows.sources.exchange.streams import ConnectionPlan, depth_instruments, plan_connections
from dataflows.sources.exchange.weight_budget import WeightBudget
from sluice.config.market_source import ExchangeSourceSettings
from sluice.instruments import InstrumentCatalog

#: Binance takes at most 300 connections in five minutes from an address.
CONNECT_EVERY_S = 0.1


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
        """Keep every connection and every book. Raises nothing that a retry may mend."""
        budget = WeightBudget(self._settings.request_weight)
        async with SnapshotClient(self._settings, budget, now_s=self._now_s) as client, asyncio.TaskGroup() as tasks:
            for instrument in depth_instruments(self._settings, self._catalog):
                book = BookSnapshots(
                    instrument, client, self._handoff, self._backoff(), self._settings.snapshot_interval_s)
                self._books[instrument.symbol.lower().encode()] = book
                tasks.create_task(book.run())
            for plan in plan_connections(self._settings, self._catalog):
                tasks.create_task(self._channel(plan).run())
                await asyncio.sleep(CONNECT_EVERY_S)

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
