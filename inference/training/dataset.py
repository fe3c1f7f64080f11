"""Labelled rows, and their split in time.

The label of a row is the log return of the mid price from its tick to the tick one horizon later, in basis points. A
row is used where every input is valid and the book was good at both ends of every horizon. The columns of the light set
are always inputs. Of the others, those that are valid most come first, and each is one unless too few rows would have
all inputs: a stream that a tape does not have, or a warm-up longer than it, costs its columns and not the rows.

The split is by time, never by chance: the models are fitted on the first part, the size of their errors and the
policy's thresholds come from the second, and the figures on the card from the third. Between two parts, rows whose
labels reach over the border are purged, and as much again is left out after it (the embargo). See López de Prado,
Advances in Financial Machine Learning (2018), chapter 7.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dataflows.actors.market_rows import FeatureRow
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from sluice.errors import InputError

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FIT_PART = 0.6
CALIBRATION_PART = 0.2
LEAST_ROWS = 50
#: Least part of the rows with a valid light set that must have all inputs.
LEAST_KEPT = 0.7


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows in the order of time, then instrument.

    times_ns: shape (n,). features: shape (n, features), NaN only in columns that are no inputs. returns_bps: the
    labels, shape (n, horizons). last_event_ns: the tapes' last tick. instruments: the keys that the rows are of.
    schema: what the columns are. inputs: those that a model may read.
    """

    times_ns: Integers
    features: Vector
    returns_bps: Vector
    last_event_ns: int
    instruments: tuple[str, ...]
    schema: FeatureSchema = MARKET_SCHEMA
    inputs: tuple[str, ...] = MARKET_SCHEMA.features

    def select(self, chosen: npt.NDArray[np.bool_]) -> "Dataset":
        """Return the chosen rows."""
        return replace(self, times_ns=self.times_ns[chosen], features=self.features[chosen],
                       returns_bps=self.returns_bps[chosen])

    def __len__(self) -> int:
        return len(self.times_ns)


class Split(NamedTuple):
    """Three parts in the order of time."""

    fit: Dataset
    calibration: Dataset
    test: Dataset


@dataclass(slots=True)
class _Series:
    """The rows of one instrument in one recording, in columns."""

    times_ns: list[int] = field(default_factory=list)
    mids: list[float] = field(default_factory=list)
    values: list[Vector] = field(default_factory=list)

    def add(self, row: FeatureRow) -> None:
        self.times_ns.append(row.event_time_ns)
        self.mids.append((row.top.best_bid + row.top.best_ask) / 2.0 if row.top.synced else float("nan"))
        self.values.append(np.where(row.valid, row.values, np.nan))


def build_dataset(
    recordings: Iterable[Iterable[FeatureRow]], horizons_ns: Sequence[int], schema: FeatureSchema = MARKET_SCHEMA
) -> Dataset:
    """Label the rows of recordings; no label reaches from one into another.

    Raises `InputError` where no row can be labelled, or one is of another schema.
    """
    series = [found for recording in recordings for found in _by_instrument(recording, schema)]
    parts = [_labelled(rows, horizons_ns, schema) for _, rows in series]
    if sum(len(times) for times, _, _ in parts) == 0:
        raise _no_rows()
    times, features, returns = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    used = _inputs(features, schema)
    order = np.argsort(times, kind="stable")
    order = order[np.isfinite(features[order][:, used]).all(axis=1)]
    if len(order) == 0:
        raise _no_rows()
    return Dataset(
        times[order], features[order], returns[order], max(rows.times_ns[-1] for _, rows in series),
        tuple(sorted({key for key, _ in series})), schema, tuple(np.array(schema.features)[used].tolist()))


def _no_rows() -> InputError:
    return InputError("a tape must give at least one labelled row, gave none",
                      fix="use a longer tape, one that holds a depth snapshot of a catalogued instrument")


def _by_instrument(recording: Iterable[FeatureRow], schema: FeatureSchema) -> list[tuple[str, _Series]]:
    by_instrument: dict[str, _Series] = {}
    for row in recording:
        if row.schema_hash != schema.hash:
            raise InputError(f"a row must be of schema {schema.name} {schema.hash[:12]}, was of {row.schema_hash[:12]}",
                             fix="train on rows of one schema")
        by_instrument.setdefault(row.instrument, _Series()).add(row)
    return sorted(by_instrument.items())


def _labelled(rows: _Series, horizons_ns: Sequence[int], schema: FeatureSchema) -> tuple[Integers, Vector, Vector]:
    """Return times, features and labels of the rows that have labels and every column of the light set."""
    times, features, log_mid = np.array(rows.times_ns, np.int64), np.array(rows.values), np.log(rows.mids)
    returns = np.column_stack([_forward_return(times, log_mid, horizon) for horizon in horizons_ns])
    usable = np.isfinite(features[:, _light(schema)]).all(axis=1) & np.isfinite(returns).all(axis=1)
    return times[usable], features[usable], returns[usable]


def _light(schema: FeatureSchema) -> list[int]:
    return [schema.index(name) for name in MARKET_SCHEMA.features]


def _inputs(features: Vector, schema: FeatureSchema) -> npt.NDArray[np.bool_]:
    """Tell which columns are inputs."""
    valid = np.isfinite(features)
    used = np.zeros(len(schema.features), np.bool_)
    used[_light(schema)] = True
    kept = np.ones(len(features), np.bool_)
    for column in np.argsort(-valid.mean(axis=0), kind="stable"):
        if (kept & valid[:, column]).mean() >= LEAST_KEPT:
            kept &= valid[:, column]
            used[column] = True
    return used


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
