"""The price series of a report: the tape read once more, thinned to what a chart can show.

One price an instrument and step: the middle of the best prices, or the last trade where the tape has no best prices.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from dataflows.codecs import binance
from dataflows.codecs.binance_events import AggregateTrade, BookTicker, Trade
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import Item, TapeReader
from sluice.instruments import InstrumentCatalog

#: A point of a series: receive time in nanoseconds and price.
Point = tuple[int, float]

_STEPS = 800
_SHORTEST_STEP_NS = 1_000_000_000


def read_prices(
    tapes: Sequence[Path], catalog: InstrumentCatalog, start_ns: int, end_ns: int
) -> dict[str, list[Point]]:
    """Return the prices of each catalogued instrument between two times, about 800 points at most."""
    step_ns = max((end_ns - start_ns) // _STEPS, _SHORTEST_STEP_NS)
    return sample_prices(iter(TapeReader(tapes)), catalog, step_ns)


def sample_prices(items: Iterable[Item], catalog: InstrumentCatalog, step_ns: int) -> dict[str, list[Point]]:
    """Return the first price of every step of each instrument. Best prices win over trades once there are any."""
    sampled: dict[str, _Series] = {}
    for item in items:
        if not isinstance(item, Frame) or not (kind := _kind(item.payload)):
            continue
        symbol = binance.symbol_of(item.payload, item.symbol_hint)
        instrument = catalog.by_symbol(symbol) if symbol else None
        if instrument is not None:
            sampled.setdefault(instrument.key, _Series(step_ns)).offer(item, is_quote=kind == "quote")
    return {key: series.points() for key, series in sampled.items()}


class _Series:
    """Two thinned series of one instrument, of which the better one counts."""

    def __init__(self, step_ns: int) -> None:
        self._step_ns = step_ns
        self._series: dict[bool, list[Point]] = {True: [], False: []}
        self._last_step: dict[bool, int] = {True: -1, False: -1}

    def offer(self, frame: Frame, *, is_quote: bool) -> None:
        """Take the price of a frame where it is the first of its step; only then is the frame decoded."""
        step = frame.receive_time_ns // self._step_ns
        if step <= self._last_step[is_quote]:
            return
        if (price := _price(frame.payload)) is not None:
            self._last_step[is_quote] = step
            self._series[is_quote].append((frame.receive_time_ns, price))

    def points(self) -> list[Point]:
        """Return the best prices' series, or the trades' where there is no other."""
        return self._series[True] or self._series[False]


def _kind(payload: bytes) -> str:
    if b'"bookTicker"' in payload:
        return "quote"
    return "trade" if b'"trade"' in payload or b'"aggTrade"' in payload else ""


def _price(payload: bytes) -> float | None:
    event = binance.decode(payload)
    if isinstance(event, BookTicker):
        return (event.best_bid + event.best_ask) / 2
    return event.price if isinstance(event, Trade | AggregateTrade) else None
