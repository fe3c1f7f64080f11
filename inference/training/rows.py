"""Feature rows of a tape, made by the actors that make them live.

The ticks are those of a run: at every multiple of the interval, before the first frame that is not before it. An
instrument has rows from the first frame that names it; what cannot be used is skipped here, as the dataflow counts it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dataflows.actors.market import MarketActor
from dataflows.actors.market_rows import FeatureRow
from dataflows.codecs.binance import symbol_of
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from dataflows.ticks import TickGrid
from sluice.instruments import InstrumentCatalog

#: Lines between two calls of the progress function.
PROGRESS_LINES = 20_000


def feature_rows(tapes: Sequence[Path], catalog: InstrumentCatalog, interval_ns: int,
                 on_progress: Callable[[int], None] | None = None) -> Iterator[FeatureRow]:
    """Yield the rows of every tick, at one tick in the order of the instruments' keys.

    `on_progress` gets the number of lines read so far. Raises `NotFoundError` or `InputError` as `TapeReader` does.
    """
    grid = TickGrid(interval_ns)
    actors: dict[str, MarketActor] = {}
    for line, item in enumerate(TapeReader(tapes)):
        if on_progress is not None and line % PROGRESS_LINES == 0:
            on_progress(line)
        if not isinstance(item, Frame):
            continue
        for tick_ns in grid.due(item.receive_time_ns):
            yield from (actors[key].on_tick(tick_ns) for key in sorted(actors))
        if (actor := _actor_of(item, catalog, actors)) is not None:
            actor.on_frame(item)


def _actor_of(frame: Frame, catalog: InstrumentCatalog, actors: dict[str, MarketActor]) -> MarketActor | None:
    symbol = symbol_of(frame.payload, frame.symbol_hint)
    instrument = catalog.by_symbol(symbol) if symbol else None
    if instrument is None:
        return None
    if instrument.key not in actors:
        actors[instrument.key] = MarketActor(instrument)
    return actors[instrument.key]
