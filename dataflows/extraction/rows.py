"""Feature rows of raw tapes, made by the actors that make them live.

The ticks are those of a run: at every multiple of the interval, before the first frame that is not before it. An
instrument has rows from the first frame that names it. What cannot be used is counted and left out.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from dataflows.actors.market import MarketActor
from dataflows.actors.market_rows import FeatureRow
from dataflows.extraction.lots import FrameLot, FrameSorter
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.market_actors import cross_assets_of, market_actor
from dataflows.tapes.blocks import FrameBlock
from dataflows.tapes.files import BLOCK_BYTES, find_tapes
from dataflows.tapes.merging import merged_blocks
from dataflows.ticks import TickGrid
from sluice.instruments import InstrumentCatalog


class TapeRows:
    """The rows of tapes, tick by tick, and what was counted on the way.

    `wanted` are the keys of the instruments to have rows of; None means every one of the catalogue that the tapes name.
    `reference` is the key of the instrument that cross-asset columns are to.
    """

    def __init__(
        self, catalog: InstrumentCatalog, interval_ns: int, schema: FeatureSchema = MARKET_SCHEMA,
        wanted: Collection[str] | None = None, reference: str = "",
    ) -> None:
        self._catalog = catalog
        self._keys = {instrument.symbol: instrument.key for instrument in catalog}
        self._grid = TickGrid(interval_ns)
        self._schema = schema
        self._wanted = wanted
        self._read = None if wanted is None else {*wanted, reference}
        self._cross_assets = cross_assets_of(schema, reference, interval_ns)
        self._actors: dict[str, MarketActor] = {}
        self._sorter = FrameSorter(self._keys)
        self._quality: dict[str, tuple[tuple[str, int], ...]] = {}
        self._refused = Counter[str]()
        self.lines = 0

    def ticks(self, tapes: Sequence[Path], on_read: Callable[[int], None] | None = None) -> Iterator[list[FeatureRow]]:
        """Yield the rows of each tick in the order of the instruments' keys; `on_read` is told bytes of files read.

        Raises `NotFoundError` or `InputError` as `find_tapes` does.
        """
        for block in merged_blocks(find_tapes(tapes), BLOCK_BYTES, on_read):
            yield from self._through(block)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return the keys of the instruments that have had a frame."""
        return tuple(sorted(filter(self._is_wanted, self._actors)))

    @property
    def dead_letters(self) -> Counter[str]:
        """Return how many lines and frames could not be used, by reason."""
        return self._sorter.dead_letters + self._refused

    @property
    def quality(self) -> Counter[str]:
        """Return how often the gates found each reason in events, up to the last tick."""
        found = Counter[str]()
        for counted in self._quality.values():
            found.update(dict(counted))
        return found

    def _is_wanted(self, key: str) -> bool:
        return self._wanted is None or key in self._wanted

    def _through(self, block: FrameBlock) -> Iterator[list[FeatureRow]]:
        """Take in a block; yield the rows of the ticks that come before one of its frames."""
        lots = self._lots(block)
        times_ns, at = np.delete(block.times_ns, list(block.problems)), 0
        while at < len(times_ns):
            for tick_ns in self._grid.due(int(times_ns[at])):
                yield self._at(tick_ns)
            at = int(np.searchsorted(times_ns, self._grid.next_ns))
            for key, lot in lots.items():
                before, lots[key] = lot.split(self._grid.next_ns)
                self._take(key, before)

    def _lots(self, block: FrameBlock) -> dict[str, FrameLot]:
        """Return the frames of a block by the key of their instrument, and count its lines."""
        lots = self._sorter.lots(block, self.lines)
        self.lines += block.lines
        named = ((self._keys[symbol], lot) for symbol, lot in lots.items())
        return {key: lot for key, lot in named if self._read is None or key in self._read}

    def _take(self, key: str, lot: FrameLot) -> None:
        if not len(lot):
            return
        if key not in self._actors:
            self._actors[key] = market_actor(self._catalog.require(key), self._schema)
        letters = self._actors[key].on_block(lot.buffer, lot.starts, lot.ends, lot.times_ns, lot.sequences)
        self._refused.update(letter.reason.name for letter in letters)

    def _at(self, tick_ns: int) -> list[FeatureRow]:
        rows = [self._actors[key].on_tick(tick_ns) for key in sorted(self._actors)]
        if self._cross_assets is not None:
            rows = self._cross_assets.on_tick(rows)
        self._quality.update((row.instrument, row.quality) for row in rows)
        return [row for row in rows if self._is_wanted(row.instrument)]
