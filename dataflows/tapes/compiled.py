"""Compiled tapes: a raw tape as columns, a file an instrument, which hftbacktest and our own engine read as it is.

Kept are diffs and snapshots of the book and trades (aggregate trades only where there are no single ones). Everything
else, and every bad line, is counted and left out. A compiled tape is built in memory, 64 bytes a row.
"""

import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numpy as np

from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.tapes import rows as layout
from dataflows.tapes.events import AggregateTrade, Depth, Event, Level, Snapshot, Trade, decode
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from dataflows.tapes.rows import EVENT_DTYPE, Rows
from dataflows.tapes.summary import parts_of
from sluice.errors import InputError

#: Diffs kept from before a snapshot, to be applied again after it: those that it does not hold yet.
_KEPT_DIFFS = 1_000
_SIDES = (layout.BUY_EVENT, layout.SELL_EVENT)


@dataclass(frozen=True, slots=True)
class CompiledTape:
    """What a compilation made: a file and its rows a symbol, what was left out, and the shift of local times."""

    files: dict[str, Path]
    rows: dict[str, int]
    left_out: dict[str, int]
    shift_ns: int


@dataclass(slots=True)
class _Columns:
    """The rows of one symbol in the order of receipt, and what is needed to place its snapshots."""

    flags: "array[int]" = field(default_factory=lambda: array("Q"))
    exchange_ns: "array[int]" = field(default_factory=lambda: array("q"))
    local_ns: "array[int]" = field(default_factory=lambda: array("q"))
    prices: "array[float]" = field(default_factory=lambda: array("d"))
    quantities: "array[float]" = field(default_factory=lambda: array("d"))
    aggregate: "array[int]" = field(default_factory=lambda: array("b"))
    diffs: list[Depth] = field(default_factory=list)
    snapshot_id: int = -1

    def add(self, flags: int, time_ms: int, local_ns: int, levels: Sequence[Level], aggregate: int = 0) -> None:
        """Append a row for each level."""
        count = len(levels)
        self.flags.extend([flags] * count)
        self.exchange_ns.extend([time_ms * 1_000_000] * count)
        self.local_ns.extend([local_ns] * count)
        self.prices.extend([price for price, _ in levels])
        self.quantities.extend([quantity for _, quantity in levels])
        self.aggregate.extend([aggregate] * count)

    def rows(self) -> Rows:
        """Return the rows, without aggregate trades where there are single ones."""
        made = np.zeros(len(self.flags), EVENT_DTYPE)
        made["ev"] = np.asarray(self.flags)
        made["exch_ts"] = np.asarray(self.exchange_ns)
        made["local_ts"] = np.asarray(self.local_ns)
        made["px"] = np.asarray(self.prices)
        made["qty"] = np.asarray(self.quantities)
        aggregate = np.asarray(self.aggregate).astype(np.bool_)
        single = ((made["ev"] & np.uint64(0xFF)) == layout.TRADE_EVENT) & ~aggregate
        result: Rows = made[~aggregate] if single.any() else made
        return result


class TapeCompiler:
    """Turns frames into rows, symbol by symbol."""

    def __init__(self) -> None:
        self.columns: dict[str, _Columns] = defaultdict(_Columns)
        self.left_out = Counter[str]()

    def take(self, item: Frame | DeadLetter) -> None:
        """Take one item of a tape."""
        if isinstance(item, DeadLetter):
            self.left_out[item.reason.name] += 1
            return
        try:
            event = decode(item.payload)
        except msgspec.ValidationError:
            self.left_out[DeadLetterReason.MALFORMED_EVENT.name] += 1
        except msgspec.DecodeError:
            self.left_out[DeadLetterReason.MALFORMED_JSON.name] += 1
        else:
            self._take_event(event, item)

    def _take_event(self, event: Event | None, frame: Frame) -> None:
        if event is None:
            self.left_out["other events"] += 1
        elif symbol := event.symbol or frame.symbol_hint:
            self._add(self.columns[symbol], event, frame.receive_time_ns)
        else:
            self.left_out[DeadLetterReason.UNATTRIBUTED_SNAPSHOT.name] += 1

    def _add(self, columns: _Columns, event: Event, local_ns: int) -> None:
        if isinstance(event, Depth):
            self._add_diff(columns, event, local_ns)
        elif isinstance(event, Snapshot):
            _add_snapshot(columns, event, local_ns)
        elif isinstance(event, Trade) and event.execution != "MARKET":
            self.left_out["trades outside the book"] += 1
        else:
            side = layout.SELL_EVENT if event.buyer_is_maker else layout.BUY_EVENT
            level = [(event.price, event.quantity)]
            aggregate = isinstance(event, AggregateTrade)
            columns.add(layout.TRADE_EVENT | side, event.time_ms, local_ns, level, aggregate)

    def _add_diff(self, columns: _Columns, diff: Depth, local_ns: int) -> None:
        if diff.last_id < columns.snapshot_id:
            self.left_out["diffs older than their snapshot"] += 1
            return
        columns.diffs = [*columns.diffs[-_KEPT_DIFFS:], diff] if columns.snapshot_id < 0 else []
        _add_levels(columns, diff, local_ns)


def _add_levels(columns: _Columns, diff: Depth, local_ns: int) -> None:
    for side, levels in zip(_SIDES, (diff.bids, diff.asks), strict=True):
        columns.add(layout.DEPTH_EVENT | side, diff.time_ms, local_ns, levels)


def _add_snapshot(columns: _Columns, snapshot: Snapshot, local_ns: int) -> None:
    """Clear the book as far as the snapshot goes, set it, and apply again what was received before but is newer."""
    for side, levels in zip(_SIDES, (snapshot.bids, snapshot.asks), strict=True):
        if levels:
            furthest = [(levels[-1][0], 0.0)]
            columns.add(layout.DEPTH_CLEAR_EVENT | side, snapshot.time_ms, local_ns, furthest)
            columns.add(layout.DEPTH_SNAPSHOT_EVENT | side, snapshot.time_ms, local_ns, levels)
    columns.snapshot_id = snapshot.last_update_id
    for diff in columns.diffs:
        if diff.last_id >= snapshot.last_update_id:
            _add_levels(columns, diff, local_ns)
    columns.diffs = []


def compile_tapes(
    paths: Sequence[Path], out_dir: Path, *, shift_ns: int | None, progress: Callable[[float], None]
) -> CompiledTape:
    """Compile tapes into a folder, which is made: `<symbol>.npz` with the rows under `data`.

    `shift_ns` is added to every local time. None means just so much that nothing is received before it happened: a
    recorder's clock that runs behind the exchange's would break every latency. Raises as `TapeReader` does, and
    `InputError` where the tape holds nothing to compile.
    """
    compiler = TapeCompiler()
    for item in TapeReader(paths, on_read=parts_of(TapeReader(paths).tapes, progress)):
        compiler.take(item)
    made = {symbol: columns.rows() for symbol, columns in sorted(compiler.columns.items())}
    if not made:
        raise InputError("a tape to compile must hold diffs, snapshots or trades, was without any")
    shift = least_shift(made.values()) if shift_ns is None else shift_ns
    out_dir.mkdir(parents=True, exist_ok=True)
    files = {symbol: _save(out_dir / f"{symbol.lower()}.npz", rows, shift) for symbol, rows in made.items()}
    return CompiledTape(files, {symbol: len(rows) for symbol, rows in made.items()}, dict(compiler.left_out), shift)


def least_shift(tables: Iterable[Rows]) -> int:
    """Return the least shift of local times, in ns, after which no row is received before it happened; 0 if none is."""
    return max(0, *(int((rows["exch_ts"] - rows["local_ts"]).max()) for rows in tables))


def _save(path: Path, rows: Rows, shift_ns: int) -> Path:
    rows["local_ts"] += shift_ns
    np.savez_compressed(path, data=layout.ordered(rows))
    return path


def load_compiled(path: Path) -> Rows:
    """Return the rows of a compiled tape. Raises `InputError` where it is none."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:  # numpy leaves a broken one open
            rows: Rows = archive["data"]
    except (OSError, ValueError, KeyError, EOFError, AttributeError, BadZipFile, zlib.error) as error:
        raise InputError(f"a compiled tape must be an .npz with `data`, was {str(path)!r}: {error}") from error
    if rows.dtype != EVENT_DTYPE:
        raise InputError(f"a compiled tape must hold rows of {EVENT_DTYPE}, was {rows.dtype}")
    return rows
