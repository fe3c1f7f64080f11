"""Events as the batch takes them, written by hand or read from a recording, and its columns by name."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataflows.codecs.binance import decode
from dataflows.codecs.binance_events import BookTicker, DepthUpdate, Trade
from dataflows.indicators.microstructure import FEATURES
from dataflows.indicators.microstructure.batch import EVENT, EventKind
from dataflows.kernels import Floats, RecordArray

SECOND = 1_000_000_000
#: The start of a second, a multiple of ten seconds too.
START = 1_700_000_000 * SECOND
NAMES = [feature.name for feature in FEATURES]

#: Kind, time since `START` in seconds, numbers.
Event = tuple[EventKind, float, Sequence[float]]


def top(time: float, bid: float, bid_quantity: float, ask: float, ask_quantity: float) -> Event:
    return EventKind.TOP, time, (bid, bid_quantity, ask, ask_quantity)


def trade(time: float, price: float, quantity: float, sign: int) -> Event:
    return EventKind.TRADE, time, (price, quantity, sign)


def array_of(events: Sequence[Event]) -> RecordArray:
    array = np.zeros(len(events), EVENT)
    for number, (kind, time, numbers) in enumerate(events):
        array[number]["kind"] = kind
        array[number]["time_ns"] = nanoseconds(time)
        array[number]["numbers"][: len(numbers)] = numbers
    return array


def nanoseconds(time: float) -> int:
    """Return the time of so many seconds after `START`."""
    return START + round(time * 1000) * 1_000_000


def ticks(*times: float) -> NDArray[np.int64]:
    return np.array([nanoseconds(time) for time in times], np.int64)


def column(rows: Floats, name: str) -> Floats:
    return rows[:, NAMES.index(name)]


def recorded(paths: Sequence[Path]) -> RecordArray:
    """Return best prices, trades and numbers of changed levels of a tape."""
    found: list[tuple[int, EventKind, tuple[float, ...]]] = []
    for path in paths:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                time, payload = line.split(b" ", 1)
                event = decode(payload)
                if isinstance(event, BookTicker):
                    numbers = (
                        event.best_bid, event.best_bid_quantity, event.best_ask, event.best_ask_quantity)
                    found.append((int(time), EventKind.TOP, numbers))
                elif isinstance(event, Trade):
                    sign = -1.0 if event.buyer_is_maker else 1.0
                    found.append((int(time), EventKind.TRADE, (event.price, event.quantity, sign, 0.0)))
                elif isinstance(event, DepthUpdate):
                    quantities = np.concatenate([event.bids[:, 1], event.asks[:, 1]])
                    levels = (float((quantities > 0).sum()), float((quantities == 0).sum()), 0.0, 0.0)
                    found.append((int(time), EventKind.LEVELS, levels))
    found.sort(key=lambda item: item[0])
    array = np.zeros(len(found), EVENT)
    array["time_ns"], array["kind"] = [item[0] for item in found], [item[1] for item in found]
    array["numbers"] = [item[2] for item in found]
    return array
