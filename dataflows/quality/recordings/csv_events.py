"""What the rows of a CSV file say of the market: trades, updates and snapshots of a book, judged by the gates.

No book is kept: a file of differences begins without one. An update is a run of rows with the same ids; a row whose
times are not those of the row before it is judged as an event of its own.
"""

import math

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.gates import Gates
from dataflows.quality.recordings.csv_records import Add
from dataflows.quality.recordings.csv_rows import Row, RowKind
from dataflows.quality.recordings.messages import Facts, told

#: A level this much above or below the prices around it is far, in logarithms.
_FAR_ABOVE, _FAR_BELOW = math.log(10), math.log(100)
#: A running price goes this far towards each level.
_PRICE_STEP = 0.01


class EventCheck:
    """Checks the rows of one instrument."""

    def __init__(self, add: Add) -> None:
        self._add = add
        self._gates = Gates()
        self._update: Row | None = None
        self._snapshot: Row | None = None
        self._touch = [-math.inf, math.inf]
        self._around = math.nan
        self._received: dict[RowKind, int] = {}

    def row(self, row: Row, *, believed: bool) -> None:
        """Check one row; of one that is not believed, its numbers alone."""
        whole = self._numbers(row)
        if not believed:
            return
        if row.kind is RowKind.TRADE and whole:
            self._trade(row)
        elif row.kind is RowKind.UPDATE:
            self._difference(row)
        elif row.kind is RowKind.SNAPSHOT and whole:
            self._level_of_snapshot(row)

    def end(self) -> None:
        """Check what only the end of the file shows."""
        self._end_snapshot()

    def _tell(self, line: int, bits: int, facts: Facts) -> None:
        for reason, sentence in told(bits, facts):
            self._add(reason, line, sentence)

    def _numbers(self, row: Row) -> bool:
        """Check what each row must have; return whether it is there and can be. Prices of trades have a gate."""
        flag, name = (row.is_buyer_maker, "IsBuyerMarketMaker") if row.kind is RowKind.TRADE else (row.is_ask, "IsAsk")
        whole = flag in (0, 1)
        if not whole:
            self._add(Reason.MALFORMED_EVENT, row.line, f"{name} must be 0 or 1, was {flag}")
        if row.price is None or row.quantity is None or not row.receive_time:
            self._add(Reason.MALFORMED_EVENT, row.line, (
                f"price, quantity and receive time must be there, were {row.price}, {row.quantity} and "
                f"{row.receive_time}"))
            return False
        self._zero_times(row)
        return whole if row.kind is RowKind.TRADE else self._level(row, row.price, row.quantity) and whole

    def _zero_times(self, row: Row) -> None:
        for name, time in (("event", row.event_time), ("transaction", row.transaction_time)):
            if time is not None and time <= 0:
                self._add(Reason.INVALID_TIME, row.line, f"the {name} time must be after 1970, was {time}")

    def _level(self, row: Row, price: float, quantity: float) -> bool:
        facts = Facts(0, price=price, quantity=quantity)
        bits = (not 0.0 < price < math.inf) << Reason.INVALID_PRICE
        bits |= (not 0.0 <= quantity < math.inf) << Reason.INVALID_QUANTITY
        self._tell(row.line, bits, facts)
        if bits:
            return False
        off = math.log(price / self._around) if self._around > 0 else 0.0
        if row.kind is RowKind.UPDATE and not -_FAR_BELOW < off < _FAR_ABOVE:
            self._add(Reason.FAR_LEVEL, row.line, (
                f"a level must be near the prices around it ({self._around:.6g}), was at {price}"))
        self._around = price if math.isnan(self._around) else self._around * math.exp(
            max(-_PRICE_STEP, min(_PRICE_STEP, off)))
        return True

    def _trade(self, row: Row) -> None:
        assert row.price is not None
        assert row.quantity is not None
        facts = self._facts(row)._replace(event_id=row.trade_id or 0, price=row.price, quantity=row.quantity)
        if row.execution in (None, "MARKET"):
            bits = self._gates.trade(*facts[:6])
        else:
            bits = self._gates.other_trade(*facts[:4], row.quantity)
        self._tell(row.line, bits, facts)

    def _difference(self, row: Row) -> None:
        before = self._update
        goes_on = before is not None and before.is_of_one_update(row)
        if not goes_on and not self._ids(row, before):
            return
        if not goes_on or before is None or _times(before) != _times(row):
            facts = self._facts(row)
            self._tell(row.line, self._gates.depth(*facts[:3]), facts)
        self._update = row

    def _facts(self, row: Row) -> Facts:
        receive_time_ns, event_time_ns, transaction_time_ns = _times(row)
        since_ns = self._received.get(row.kind, receive_time_ns)
        self._received[row.kind] = receive_time_ns
        return Facts(receive_time_ns, event_time_ns, transaction_time_ns, since_ns=since_ns)

    def _ids(self, row: Row, before: Row | None) -> bool:
        """Check the ids of a new update; return whether it may be the one that the next follows."""
        first, last, previous = row.first_update_id, row.last_update_id, row.previous_update_id
        if first is None or last is None:
            self._add(Reason.MALFORMED_EVENT, row.line, f"update ids must be there, were {first} and {last}")
            return False
        if first > last:
            self._add(Reason.MALFORMED_EVENT, row.line, (
                f"the first update id must be at most the final one ({last}), was {first}"))
        known = before.last_update_id if before is not None else None
        if known is None:
            return first <= last
        if last <= known:
            self._add(Reason.DUPLICATE_ID, row.line, f"a final update id must be above {known}, was {last}")
        if previous is not None and previous != known:
            self._add(Reason.SEQUENCE_GAP, row.line, (
                f"pu must be the u of the update that ends at line {before.line if before else 0} ({known}), "
                f"was {previous}"))
        elif previous is None and first > known + 1:
            self._add(Reason.MISSING_IDS, row.line, f"the first update id must be {known + 1}, was {first}")
        return first <= last and last > known

    def _level_of_snapshot(self, row: Row) -> None:
        assert row.price is not None
        if self._snapshot is None or not self._snapshot.is_of_one_update(row):
            self._end_snapshot()
        side, better = (1, min) if row.is_ask else (0, max)
        self._touch[side] = better(self._touch[side], row.price)
        self._snapshot = row

    def _end_snapshot(self) -> None:
        if self._snapshot is not None:
            bid, ask = self._touch
            bits = (bid > ask) << Reason.CROSSED_BOOK | (bid == ask) << Reason.LOCKED_BOOK
            self._tell(self._snapshot.line, bits, Facts(0, price=bid, ask=ask))
        self._touch = [-math.inf, math.inf]


def _times(row: Row) -> tuple[int, int, int]:
    return row.receive_time or 0, row.event_time or 0, row.transaction_time or 0
