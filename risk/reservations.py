"""Reservations: what is set aside for an order from its approval until its end is known.

Buys and sells are summed each for itself and never netted, because either side may fill alone. Nothing is ever released
in bulk: each reservation ends by its own order's definite end (filled, cancelled, rejected, expired or never sent). An
unknown outcome keeps it. Which reports count is the portfolio's business; this is not aware of sequences.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from risk.domain import ExecutionReport
from sluice.decimals import ZERO
from sluice.errors import InvariantError
from sluice.instruments import Instrument
from sluice.orders import ReportKind, Side

#: Reports after which nothing of the order can fill any more.
_ENDS = frozenset({ReportKind.CANCELED, ReportKind.REJECTED, ReportKind.EXPIRED, ReportKind.NOT_SENT})


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one approved order may still do. `worst_price` values it; `sent` is set by its first report."""

    decision_id: str
    instrument: Instrument
    side: Side
    quantity: Decimal
    worst_price: Decimal
    reducing: bool
    expires_at_ns: int
    sent: bool = False

    @property
    def notional(self) -> Decimal:
        """Return what is set aside, in the quote currency."""
        return self.instrument.notional(self.quantity, self.worst_price)


@dataclass(frozen=True, slots=True)
class ReservedQuantities:
    """Sums of an instrument's open reservations, each side for itself; the reducing ones are part of both sums."""

    buy: Decimal = ZERO
    sell: Decimal = ZERO
    reducing_buy: Decimal = ZERO
    reducing_sell: Decimal = ZERO

    def of(self, side: Side) -> Decimal:
        """Return the sum of a side."""
        return self.buy if side is Side.BUY else self.sell

    def reducing(self, side: Side) -> Decimal:
        """Return the sum of a side's reducing orders."""
        return self.reducing_buy if side is Side.BUY else self.reducing_sell


class ReservationBook:
    """All open reservations by decision."""

    def __init__(self) -> None:
        self._open: dict[str, Reservation] = {}

    def reserve(self, reservation: Reservation) -> None:
        """Set aside for an approval. Raises `InvariantError` where the decision has a reservation already."""
        if reservation.decision_id in self._open:
            raise InvariantError(f"a decision must be reserved once, was {reservation.decision_id} again")
        self._open[reservation.decision_id] = reservation

    def apply(self, report: ExecutionReport) -> None:
        """Move a reservation by what happened to its order; a report on no open reservation changes nothing."""
        if (held := self._open.get(report.decision_id)) is None:
            return
        filled = report.fill.quantity if report.fill is not None else ZERO
        left = max(held.quantity - filled, ZERO)
        if report.kind in _ENDS or report.final or left == ZERO:
            del self._open[report.decision_id]
        else:
            self._open[report.decision_id] = replace(held, quantity=left, sent=True)

    def quantities(self, instrument: str) -> ReservedQuantities:
        """Return the sums of an instrument."""
        sums = {(side, reducing): ZERO for side in (Side.BUY, Side.SELL) for reducing in (False, True)}
        for held in self._open.values():
            if held.instrument.key == instrument:
                sums[held.side, held.reducing] += held.quantity
        return ReservedQuantities(
            buy=sums[Side.BUY, False] + sums[Side.BUY, True],
            sell=sums[Side.SELL, False] + sums[Side.SELL, True],
            reducing_buy=sums[Side.BUY, True],
            reducing_sell=sums[Side.SELL, True],
        )

    def get(self, decision_id: str) -> Reservation | None:
        """Return the open reservation of a decision, or None."""
        return self._open.get(decision_id)

    def never_sent(self, before_ns: int) -> list[Reservation]:
        """Return the reservations that no report has touched and whose approval expired before a time."""
        return [held for held in self._open.values() if not held.sent and held.expires_at_ns < before_ns]

    def __iter__(self) -> Iterator[Reservation]:
        return iter(sorted(self._open.values(), key=lambda held: held.decision_id))

    def __len__(self) -> int:
        return len(self._open)
