"""Rows of recordings that are CSV files: a header names the columns, `#` begins a comment, one row is one price level.

The columns are those of the Unfazed Binance recorder: one file holds differences of a book, trades or snapshots of a
book, or all of them merged. Times are whole milliseconds, microseconds or nanoseconds since 1970, told apart by their
size. Fields in quotes are not read.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, Final

import msgspec

from sluice.errors import InputError

#: Times and ids fit the integers of a kernel.
_LARGEST: Final = 2**62


class RowKind(Enum):
    """What a row is a part of."""

    UPDATE = "depth update"
    SNAPSHOT = "depth snapshot"
    TRADE = "trade"


class Row(msgspec.Struct, gc=False):
    """One row. None is a field that its file does not have or leaves empty; times are nanoseconds."""

    line: int
    receive_time: int | None = None
    #: Where a merged file puts the row in time.
    place_time: int | None = None
    request_time: int | None = None
    event_time: int | None = None
    transaction_time: int | None = None
    stream: str | None = None
    stream_type: str | None = None
    event: str | None = None
    symbol: str | None = None
    #: How a trade came about: `MARKET` is a print of the book.
    execution: str | None = None
    first_update_id: int | None = None
    last_update_id: int | None = None
    previous_update_id: int | None = None
    snapshot_id: int | None = None
    trade_id: int | None = None
    is_ask: int | None = None
    is_buyer_maker: int | None = None
    is_last: int | None = None
    price: float | None = None
    quantity: float | None = None

    @property
    def kind(self) -> RowKind:
        """Tell what the row is a part of."""
        if self.trade_id is not None:
            return RowKind.TRADE
        if self.snapshot_id is not None or "SNAPSHOT" in (self.stream_type or ""):
            return RowKind.SNAPSHOT
        return RowKind.UPDATE

    def is_of_one_update(self, other: "Row") -> bool:
        """Tell whether a row is of the same update, or of the same snapshot, as another. A trade is one by itself."""
        if self.kind is not other.kind or self.kind is RowKind.TRADE or self.stream_type != other.stream_type:
            return False
        if self.kind is RowKind.SNAPSHOT:
            return (self.receive_time, self.snapshot_id) == (other.receive_time, other.snapshot_id)
        return self.update_ids == other.update_ids

    @property
    def update_ids(self) -> tuple[int | None, int | None, int | None]:
        """Return the first, final and previous update id."""
        return self.first_update_id, self.last_update_id, self.previous_update_id


class Malformed(msgspec.Struct, frozen=True):
    """A line that is no row, with why."""

    line: int
    message: str


def _whole(text: str) -> int:
    if abs(value := int(text)) > _LARGEST:
        raise ValueError
    return value


def _time(text: str) -> int:
    digits = len(text.lstrip("-"))
    return _whole(str(int(text) * (1_000_000 if digits <= 14 else 1_000 if digits <= 17 else 1)))


#: Field and reader of each column.
_COLUMNS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    "TimestampOfReceiveUS": ("place_time", _time), "TimestampOfReceive": ("receive_time", _time),
    "TimestampOfRequest": ("request_time", _time), "EventTime": ("event_time", _time),
    "TransactionTime": ("transaction_time", _time), "Stream": ("stream", str), "StreamType": ("stream_type", str),
    "EventType": ("event", str), "Symbol": ("symbol", str),
    "XUnknownParameter": ("execution", str), "FirstUpdateId": ("first_update_id", _whole),
    "FinalUpdateId": ("last_update_id", _whole), "FinalUpdateIdInLastStream": ("previous_update_id", _whole),
    "LastUpdateId": ("snapshot_id", _whole), "TradeId": ("trade_id", _whole), "IsAsk": ("is_ask", _whole),
    "IsBuyerMarketMaker": ("is_buyer_maker", _whole), "IsLast": ("is_last", _whole), "Price": ("price", float),
    "Quantity": ("quantity", float),
}
_NEEDED: Final = ("TimestampOfReceive", "Price", "Quantity")
#: What a file must have besides, of one kind at least.
_KINDS: Final = (("TradeId",), ("FirstUpdateId", "FinalUpdateId", "IsAsk"), ("LastUpdateId", "IsAsk"))


def is_header(line: bytes) -> bool:
    """Tell whether a line names the columns of such a file."""
    return line.startswith(b"TimestampOf") and b"," in line


def read_rows(blocks: Iterable[list[bytes]]) -> Iterator[Row | Malformed]:
    """Yield what each line of a file is that is no comment, header or empty line.

    Raises `InputError` where the columns that a check needs are not there.
    """
    columns: _Columns | None = None
    number = 0
    for lines in blocks:
        for line in lines:
            number += 1
            if not line or line.startswith(b"#"):
                continue
            if columns is None:
                columns = _Columns(line)
            else:
                yield columns.row(number, line)


class _Columns:
    """The columns of one file, as its header names them."""

    def __init__(self, header: bytes) -> None:
        names = header.decode("utf-8", "replace").rstrip("\r").split(",")
        if not set(_NEEDED) <= set(names) or not any(set(kind) <= set(names) for kind in _KINDS):
            raise InputError(
                f"a CSV recording must have the columns {', '.join(_NEEDED)} and those of trades or of a book, "
                f"had {', '.join(names)[:200]}", fix="name the columns as the recorder does, or check a tape")
        self._count = len(names)
        self._read = [(at, name, *_COLUMNS[name]) for at, name in enumerate(names) if name in _COLUMNS]

    def row(self, number: int, line: bytes) -> Row | Malformed:
        """Return the row of a line."""
        fields = line.decode("utf-8", "replace").rstrip("\r").split(",")
        if len(fields) != self._count:
            return Malformed(number, f"a row must have {self._count} fields, had {len(fields)}")
        values: dict[str, Any] = {}
        for at, name, field, read in self._read:
            if text := fields[at]:
                try:
                    values[field] = read(text)
                except ValueError:
                    return Malformed(number, f"{name} must be a number of at most 62 bits, was {text[:40]!r}")
        return Row(number, **values)
