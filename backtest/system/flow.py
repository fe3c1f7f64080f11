"""From a tape's lines to worked ticks: the dataflow's source and steps, called one after the other.

`dataflows.local` composes the same classes under Bytewax, with recovery and sinks. How the lines are cut into batches
changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

from dataflows.deadletters import DeadLetter
from dataflows.desk.interface import TradingDesk
from dataflows.market_actors import schema_of_settings
from dataflows.sources.tape import MarketInput, Routed, Router, TapeState
from dataflows.steps.counting import TickOutcome
from dataflows.steps.market import MarketLogic, TickRow
from dataflows.steps.trading import TradingLogic, TradingState
from dataflows.tapes.reader import Item
from sluice.config.settings import Settings
from sluice.instruments import InstrumentCatalog


class Flow:
    """One account's flow from a tape's beginning. `catalog`: the instruments that are traded."""

    def __init__(self, settings: Settings, catalog: InstrumentCatalog, desk: TradingDesk) -> None:
        self._catalog = catalog
        self._batch_lines = settings.source.batch_lines
        self._router = Router(catalog, settings.source.tick_interval_ms * 1_000_000, TapeState())
        self._markets: dict[str, MarketLogic] = {}
        self._schema = schema_of_settings(settings.features)
        self._trading = TradingLogic(desk, catalog, settings, TradingState())

    def play(self, items: Iterator[Item]) -> Iterator[list[TickOutcome]]:
        """Yield what came of the ticks of each batch of lines; the last one closes the tape."""
        while batch := list(islice(items, self._batch_lines)):
            yield self._take(routed for item in batch for routed in self._router.route(item))
        yield self._take(self._router.end())

    def _take(self, routed: Iterable[Routed]) -> list[TickOutcome]:
        by_key: dict[str, list[MarketInput]] = defaultdict(list)
        for key, value in routed:
            by_key[key].append(value)
        rows: list[TickRow] = []
        for key, values in by_key.items():
            made = self._market(key).on_batch(values)[0]
            rows += [row for row in made if not isinstance(row, DeadLetter)]
        return self._trading.on_batch(rows)[0]

    def _market(self, key: str) -> MarketLogic:
        if key not in self._markets:
            self._markets[key] = MarketLogic(self._catalog, None, self._schema)
        return self._markets[key]
