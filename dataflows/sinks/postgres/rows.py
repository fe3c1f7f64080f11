"""Rows of the archive that the writer takes, and how each becomes the columns of its table.

A time goes into PostgreSQL's `timestamptz` as the integer that it is there: microseconds since 2000, rounded down.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

_ARRAY_HEADER: Final = struct.Struct(">iiIii")
_ELEMENT: Final = np.dtype([("size", ">i4"), ("value", ">f8")])
_FLOAT8_OID: Final = 701
_DAY_NS: Final = 86_400_000_000_000
_FROM_1970_TO_2000_US: Final = 946_684_800_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BarRow(NamedTuple):
    """A bar of 1 s of an instrument; `start_ns` is since the Unix epoch (UTC), `volume` base units or contracts."""

    instrument: str
    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class FeatureRow(NamedTuple):
    """A feature row: `values` in the order of its schema, NaN where not valid."""

    instrument: str
    sequence: int
    event_time_ns: int
    schema_hash: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with partitions by day: its columns, their types in COPY, and what a row is in them."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    fields: Callable[[Any], tuple[Any, ...]]
    time_ns: Callable[[Any], int]


def timestamp(time_ns: int) -> int:
    """Return a time as PostgreSQL's binary form of `timestamptz` holds it."""
    return time_ns // 1000 - _FROM_1970_TO_2000_US


def day_of(time_ns: int) -> int:
    """Return the day since the Unix epoch, UTC."""
    return time_ns // _DAY_NS


def start_of(day: int) -> datetime:
    """Return when a day begins."""
    return _EPOCH + timedelta(days=day)


def _bar(row: BarRow) -> tuple[Any, ...]:
    return (row[0], timestamp(row[1]), *row[2:])


def _features(row: FeatureRow) -> tuple[Any, ...]:
    return (row[0], row[1], timestamp(row[2]), row[2], row[3], _array(row[4]))


def _array(values: Sequence[float]) -> bytes:
    """Return PostgreSQL's binary form of a `float8[]`: header, one dimension from 1, and each value after its size."""
    elements = np.empty(len(values), _ELEMENT)
    elements["size"] = 8
    elements["value"] = values
    return _ARRAY_HEADER.pack(1, 0, _FLOAT8_OID, len(values), 1) + elements.tobytes()


# COPY takes the bytes of a value as they are. A `timestamptz` is eight bytes as an "int8" is, so that no datetime is
# made for a row; an array is made by numpy, several times as fast as one value after another.
BARS: Final = Table(
    "bars_1s", ("instrument", "time", "open", "high", "low", "close", "volume"),
    ("text", "int8", "float8", "float8", "float8", "float8", "float8"), _bar, lambda row: row.start_ns)
FEATURES: Final = Table(
    "features", ("instrument", "sequence", "time", "event_time_ns", "schema_hash", "feature_values"),
    ("text", "int8", "int8", "int8", "text", "bytea"), _features, lambda row: row.event_time_ns)
