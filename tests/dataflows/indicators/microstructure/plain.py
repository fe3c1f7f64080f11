"""Plain NumPy versions of the features of events, from their publications: whole history in, cut afterwards."""

import numpy as np
from numpy.typing import NDArray

from dataflows.indicators.microstructure.batch import EventKind
from dataflows.kernels import Floats, RecordArray
from tests.dataflows.indicators.microstructure.events import SECOND


class History:
    """All events of an instrument as columns."""

    def __init__(self, events: RecordArray) -> None:
        tops, trades = events["kind"] == EventKind.TOP, events["kind"] == EventKind.TRADE
        numbers = events["numbers"]
        self.top_seconds, self.tops = self._seconds(events, tops), numbers[tops]
        self.top_times = events["time_ns"][tops]
        self.trade_seconds = self._seconds(events, trades)
        self.price, self.quantity, self.sign = numbers[trades, 0], numbers[trades, 1], numbers[trades, 2]
        self.mids = (self.tops[:, 0] + self.tops[:, 2]) / 2
        self.before = self.mids[np.cumsum(tops)[trades] - 1]
        levels = events["kind"] == EventKind.LEVELS
        self.level_seconds, self.levels = self._seconds(events, levels), numbers[levels]
        self.first_second = int(events["time_ns"][0] // SECOND) + 1

    @staticmethod
    def _seconds(events: RecordArray, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        seconds: NDArray[np.int64] = events["time_ns"][which] // SECOND
        return seconds

    def mid_at(self, seconds: NDArray[np.int64] | int) -> Floats:
        """Return the mid price before any event of some seconds."""
        at = np.searchsorted(self.top_times, np.asarray(seconds) * SECOND, side="left") - 1
        return np.asarray(self.mids[at])

    def traded(self, end: int, seconds: int) -> NDArray[np.bool_]:
        """Tell which trades are in the whole seconds before an end."""
        return (self.trade_seconds >= end - seconds) & (self.trade_seconds < end)

    def volume(self, end: int, seconds: int) -> float:
        """Return what was traded in a window."""
        return float(self.quantity[self.traded(end, seconds)].sum())


def order_flow(history: History, end: int, seconds: int) -> tuple[float, float]:
    """Return sum e_n of Cont, Kukanov and Stoikov (2014), and that over the average depth of the last minute."""
    before, after, second = history.tops[:-1], history.tops[1:], history.top_seconds[1:]
    changed = (before != after).any(axis=1)
    bids = (after[:, 0] >= before[:, 0]) * after[:, 1] - (after[:, 0] <= before[:, 0]) * before[:, 1]
    asks = (after[:, 2] <= before[:, 2]) * after[:, 3] - (after[:, 2] >= before[:, 2]) * before[:, 3]
    inside = (second >= end - seconds) & (second < end)
    minute = changed & (second >= end - 60) & (second < end)
    total = float((bids - asks)[inside].sum())
    return total, total / float(((after[:, 1] + after[:, 3]) / 2)[minute].mean())


def touch_changes(history: History, end: int, seconds: int) -> int:
    """Return how often the best prices or their quantities changed."""
    changed = (history.tops[:-1] != history.tops[1:]).any(axis=1)
    second = history.top_seconds[1:]
    return int((changed & (second >= end - seconds) & (second < end)).sum())


def spread(history: History, end: int, later: Floats | None = None) -> float:
    """Return the volume-weighted 2 s (p - m) / m_before in bps of a minute; m is `later` or what was before."""
    inside = history.traded(end, 60)
    weight, before = history.quantity[inside], history.before[inside]
    against = before if later is None else later[inside]
    cost = 2e4 * history.sign[inside] * (history.price[inside] - against) / before
    return float((weight * cost).sum() / weight.sum())


def kyle(history: History, end: int, seconds: int) -> float:
    """Return the slope of NumPy's least-squares line of mid price changes on signed volume, by seconds."""
    grid = np.arange(end - seconds, end + 1)
    signed = history.sign * history.quantity
    flow = np.array([signed[history.trade_seconds == second].sum() for second in grid[:-1]])
    return float(np.polyfit(flow, np.diff(history.mid_at(grid)), 1)[0])


def amihud(history: History, end: int, seconds: int) -> float:
    """Return the mean of |return| in bps over millions traded, of seconds with a trade."""
    ratios = []
    for second in range(end - seconds, end):
        inside = history.trade_seconds == second
        if inside.any():
            change = np.log(history.mid_at(second + 1) / history.mid_at(second))
            ratios.append(abs(change) / (history.price[inside] * history.quantity[inside]).sum())
    return float(1e10 * np.mean(ratios))


def roll(history: History, end: int, seconds: int) -> float:
    """Return 2 sqrt(-cov) in price units, NaN where the covariance is positive."""
    inside = history.traded(end, seconds)
    price, second = history.price[inside], history.trade_seconds[inside]
    change = np.diff(price[np.append(second[1:] != second[:-1], True)])
    pairs = np.stack([change[1:], change[:-1]])
    covariance = float(np.cov(pairs, bias=True)[0, 1])
    return 2 * np.sqrt(-covariance) if covariance <= 0 else np.nan


def volume_bucket_imbalance(history: History, end: int) -> float:
    """Return VPIN: buckets are stretches of the cumulative volume, their imbalances differences along it."""
    start = np.searchsorted(history.trade_seconds, history.first_second + 300)
    stop = np.searchsorted(history.trade_seconds, end)
    quantity, sign = history.quantity[start:stop], history.sign[start:stop]
    volume = np.concatenate([[0.0], quantity.cumsum()])
    signed = np.concatenate([[0.0], (sign * quantity).cumsum()])
    place, sizes, imbalances = 0.0, [], []
    while True:
        opening = int(np.searchsorted(volume, place + 1e-9, side="right")) - 1
        if opening >= len(quantity):
            break
        size = history.volume(int(history.trade_seconds[start + opening]), 300) / 50
        if place + size > volume[-1]:
            break
        imbalances.append(abs(np.interp(place + size, volume, signed) - np.interp(place, volume, signed)))
        sizes.append(size)
        place += size
    return float(sum(imbalances[-50:]) / sum(sizes[-50:])) if len(sizes) >= 50 else np.nan
