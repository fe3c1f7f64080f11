"""What a market actor hands on: the top of the book and the row of features of a tick, or a table of many ticks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np

from dataflows.actors.market_health import BookHealth
from dataflows.indicators.schema import FeatureSchema
from dataflows.kernels import Flags, Floats, Integers


class BookTop(msgspec.Struct, frozen=True, gc=False):
    """The best prices as of a tick; NaN where unknown.

    They come from the depth book or from a later best-price message, whichever the venue numbered higher. Nothing may
    be traded on it unless `synced`: it is False from a break in the book's sequence until a snapshot has been joined
    to the stream again, and while a side is empty. `event_time_ns` is the receive time of the last event that touched
    the book (0: none yet). Quantities are in base units (linear) or contracts (inverse).
    """

    best_bid: float
    best_bid_quantity: float
    best_ask: float
    best_ask_quantity: float
    mark_price: float
    synced: bool
    event_time_ns: int


class FeatureRow(msgspec.Struct, frozen=True, gc=False):
    """The features of one instrument as of one tick of event time.

    `values` and `valid` are in the order of the schema of `schema_hash`; a value is NaN where it is not valid.
    `sequence` numbers an instrument's rows from 1 without holes. `events` and `dead_letters` count frames since the
    actor's beginning: each frame is one or the other. `health` says how the book has fared since then, `quality`
    how often the gates found each reason in events, whether they were set aside for it or only flagged.
    """

    instrument: str
    event_time_ns: int
    sequence: int
    schema_hash: str
    values: tuple[float, ...]
    valid: tuple[bool, ...]
    top: BookTop
    events: int
    dead_letters: int
    health: BookHealth = BookHealth()
    quality: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """The features of one instrument at many ticks, a row a tick.

    `times_ns` has shape (ticks,), `values` (ticks, features) in the schema's order and NaN where not valid, `tops`
    (ticks, 4): best bid, its quantity, best ask, its quantity, NaN where unknown.
    """

    schema: FeatureSchema
    times_ns: Integers
    values: Floats
    tops: Floats

    @classmethod
    def empty(cls, schema: FeatureSchema, ticks: int) -> Self:
        """Return a table to be filled."""
        return cls(schema, np.empty(ticks, np.int64), np.empty((ticks, len(schema.features))), np.empty((ticks, 4)))

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """Return one table of one or more of the same schema, one behind the other."""
        if len(tables) == 1:
            return tables[0]
        return cls(
            tables[0].schema, np.concatenate([table.times_ns for table in tables]),
            np.concatenate([table.values for table in tables]), np.concatenate([table.tops for table in tables]))

    def copy(self) -> Self:
        """Return a table that shares nothing with this one."""
        return type(self)(self.schema, self.times_ns.copy(), self.values.copy(), self.tops.copy())

    def __len__(self) -> int:
        return len(self.times_ns)

    def __getitem__(self, ticks: slice) -> Self:
        return type(self)(self.schema, self.times_ns[ticks], self.values[ticks], self.tops[ticks])

    @property
    def valid(self) -> Flags:
        """Return which values are valid, of the shape of `values`."""
        valid: Flags = np.isfinite(self.values)
        return valid
