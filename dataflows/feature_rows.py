"""Feature rows of raw tapes, made by the actors that make them live.

The ticks are those of a run: at every multiple of the interval, before the first frame that is not before it. An
instrument has rows from the first frame that names it. What cannot be used is counted and left out.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from dataflows.actors.market import MarketActor
from dataflows.actors.market_rows import FeatureRow
from dataflows.codecs.binance import symbol_of, unroutable
from dataflows.cross_assets import CrossAssets
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.market_actors import market_actor
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import Item, TapeReader
from dataflows.ticks import TickGrid
from sluice.instruments import InstrumentCatalog

#: Most frames that wait for a tick, however long the interval is.
_MOST_WAITING = 10_000


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
        self._cross_assets = CrossAssets(schema, reference, interval_ns)
        self._actors: dict[str, MarketActor] = {}
        self._waiting: dict[str, list[Frame]] = {}
        self._waiting_count = 0
        self._quality: dict[str, tuple[tuple[str, int], ...]] = {}
        self.lines = 0
        self.dead_letters = Counter[str]()

    def ticks(self, tapes: Sequence[Path], on_read: Callable[[int], None] | None = None) -> Iterator[list[FeatureRow]]:
        """Yield the rows of each tick in the order of the instruments' keys; `on_read` is told bytes of files read.

        Raises `NotFoundError` or `InputError` as `TapeReader` does.
        """
        for item in TapeReader(tapes, on_read=on_read):
            if isinstance(item, Frame) and item.receive_time_ns >= self._grid.next_ns:
                for tick_ns in self._grid.due(item.receive_time_ns):
                    yield self._at(tick_ns)
            self._take(item)
        self._flush()

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return the keys of the instruments that have had a frame."""
        return tuple(sorted(filter(self._is_wanted, self._actors)))

    @property
    def quality(self) -> Counter[str]:
        """Return how often the gates found each reason in events, up to the last tick."""
        found = Counter[str]()
        for counted in self._quality.values():
            found.update(dict(counted))
        return found

    def _is_wanted(self, key: str) -> bool:
        return self._wanted is None or key in self._wanted

    def _at(self, tick_ns: int) -> list[FeatureRow]:
        self._flush()
        rows = self._cross_assets.on_tick([self._actors[key].on_tick(tick_ns) for key in sorted(self._actors)])
        self._quality.update((row.instrument, row.quality) for row in rows)
        return [row for row in rows if self._is_wanted(row.instrument)]

    def _take(self, item: Item) -> None:
        self.lines += isinstance(item, Frame) or item.sequence > 0
        if isinstance(item, DeadLetter):
            self.dead_letters[item.reason.name] += 1
        elif (key := self._key_of(item)) is not None and (self._read is None or key in self._read):
            self._waiting.setdefault(key, []).append(item)
            self._waiting_count += 1
            if self._waiting_count >= _MOST_WAITING:
                self._flush()

    def _key_of(self, frame: Frame) -> str | None:
        symbol = symbol_of(frame.payload, frame.symbol_hint)
        if not symbol:
            self.dead_letters[unroutable(frame.payload).reason.name] += 1
        elif (key := self._keys.get(symbol)) is not None:
            return key
        else:
            self.dead_letters[DeadLetterReason.UNKNOWN_INSTRUMENT.name] += 1
        return None

    def _flush(self) -> None:
        """Give the frames since the last tick to their actors."""
        for key, frames in self._waiting.items():
            if frames and key not in self._actors:
                self._actors[key] = market_actor(self._catalog.require(key), self._schema)
            if frames:
                self.dead_letters.update(letter.reason.name for letter in self._actors[key].on_frames(frames))
            frames.clear()
        self._waiting_count = 0
