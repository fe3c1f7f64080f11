"""Labelled rows, and their split in time.

The label of a row is the log return of the mid price from its tick to the tick one horizon later, in basis points. A
row is used where every feature is valid and the book was good at both ends of every horizon.

The split is by time, never by chance: the models are fitted on the first part, the size of their errors and the
policy's thresholds come from the second, and the figures on the card from the third. Between two parts, rows whose
labels reach over the border are purged, and as much again is left out after it (the embargo). See López de Prado,
Advances in Financial Machine Learning (2018), chapter 7.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dataflows.actors.market_rows import FeatureRow
from sluice.errors import InputError

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FIT_PART = 0.6
CALIBRATION_PART = 0.2
LEAST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows in the order of time, then instrument.

    times_ns: shape (n,). features: shape (n, features). returns_bps: the labels, shape (n, horizons).
    last_event_ns: the tapes' last tick. instruments: the keys that the rows are of.
    """

    times_ns: Integers
    features: Vector
    returns_bps: Vector
    last_event_ns: int
    instruments: tuple[str, ...]

    def select(self, chosen: npt.NDArray[np.bool_]) -> "Dataset":
        """Return the chosen rows."""
        return Dataset(self.times_ns[chosen], self.features[chosen], self.returns_bps[chosen], self.last_event_ns,
                       self.instruments)

    def __len__(self) -> int:
        return len(self.times_ns)


class Split(NamedTuple):
    """Three parts in the order of time."""

    fit: Dataset
    calibration: Dataset
    test: Dataset


def build_dataset(recordings: Iterable[Iterable[FeatureRow]], horizons_ns: Sequence[int]) -> Dataset:
    """Label the rows of recordings; no label reaches from one into another. Raises `InputError` where no row can be."""
    series = [rows for recording in recordings for rows in _by_instrument(recording)]
    parts = [_labelled(rows, horizons_ns) for rows in series]
    if sum(len(times) for times, _, _ in parts) == 0:
        raise InputError("a tape must give at least one labelled row, gave none",
                         fix="use a longer tape, one that holds a depth snapshot of a catalogued instrument")
    times, features, returns = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(times, kind="stable")
    last = max(rows[-1].event_time_ns for rows in series)
    instruments = tuple(sorted({rows[0].instrument for rows in series}))
    return Dataset(times[order], features[order], returns[order], last, instruments)


def _by_instrument(recording: Iterable[FeatureRow]) -> list[list[FeatureRow]]:
    by_instrument: defaultdict[str, list[FeatureRow]] = defaultdict(list)
    for row in recording:
        by_instrument[row.instrument].append(row)
    return [rows for _, rows in sorted(by_instrument.items())]


def _labelled(rows: Sequence[FeatureRow], horizons_ns: Sequence[int]) -> tuple[Integers, Vector, Vector]:
    times = np.array([row.event_time_ns for row in rows], np.int64)
    features = np.array([row.values for row in rows], np.float64)
    log_mid = np.log([_mid(row) for row in rows])
    returns = np.column_stack([_forward_return(times, log_mid, horizon) for horizon in horizons_ns])
    valid = np.array([all(row.valid) for row in rows])
    usable = valid & np.isfinite(features).all(axis=1) & np.isfinite(returns).all(axis=1)
    return times[usable], features[usable], returns[usable]


def _mid(row: FeatureRow) -> float:
    return (row.top.best_bid + row.top.best_ask) / 2.0 if row.top.synced else float("nan")


def _forward_return(times: Integers, log_mid: Vector, horizon_ns: int) -> Vector:
    """Return the log return in basis points to the row exactly one horizon later; NaN where there is none."""
    later = np.searchsorted(times, times + horizon_ns)
    found = later < len(times)
    later[~found] = 0
    found &= times[later] == times + horizon_ns
    return np.where(found, (log_mid[later] - log_mid) * 1e4, np.nan)


def split_by_time(dataset: Dataset, longest_horizon_ns: int) -> Split:
    """Cut into three parts, purged and with an embargo. Raises `InputError` where one gets too small."""
    first, last = int(dataset.times_ns[0]), int(dataset.times_ns[-1])
    borders = [first + int((last - first) * part) for part in (FIT_PART, FIT_PART + CALIBRATION_PART)]
    times = dataset.times_ns
    label_ends = times + longest_horizon_ns
    starts = [border + longest_horizon_ns for border in borders]
    split = Split(dataset.select(label_ends < borders[0]),
                  dataset.select((times >= starts[0]) & (label_ends < borders[1])),
                  dataset.select(times >= starts[1]))
    for name, part in split._asdict().items():
        if len(part) < LEAST_ROWS:
            raise InputError(f"the {name} part must have at least {LEAST_ROWS} rows, had {len(part)}",
                             fix="use a longer tape")
    return split
