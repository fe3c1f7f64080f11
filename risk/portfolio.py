"""The account as risk counts it: positions, balances, equity and worst-case exposure.

Positions come from execution's reports alone, applied in sequence and once. Notionals are in the quote currency; a
linear contract's USDT and an inverse contract's USD count as the same money, which is the one simplification here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.domain import ExecutionReport
from risk.reservations import ReservationBook, ReservedQuantities
from sluice.decimals import MONEY, ZERO
from sluice.errors import InvariantError
from sluice.instruments import InstrumentCatalog
from sluice.orders import Side
from sluice.positions import Position

#: Tells the reference price of an instrument, or None where it is unknown.
PriceOf = Callable[[str], Decimal | None]


@dataclass(frozen=True, slots=True)
class EquityLine:
    """Equity of one settlement asset, in that asset: cash plus what the open positions would pay."""

    asset: str
    balance: Decimal
    unrealised_pnl: Decimal

    @property
    def equity(self) -> Decimal:
        """Return balance plus unrealised profit."""
        return self.balance + self.unrealised_pnl


class Portfolio:
    """Positions and reservations, moved by reports in sequence."""

    def __init__(self, catalog: InstrumentCatalog, balances: Mapping[str, Decimal]) -> None:
        self._catalog = catalog
        self._starting = dict(balances)
        self._foreign_fees: dict[str, Decimal] = {}
        self._positions: dict[str, Position] = {}
        self.reservations = ReservationBook()
        self.report_sequence = 0

    def apply(self, report: ExecutionReport) -> bool:
        """Take in the next report; one that was seen already changes nothing and gives False.

        Raises `InvariantError` where a report is missing in between.
        """
        if report.sequence <= self.report_sequence:
            return False
        if report.sequence != self.report_sequence + 1:
            raise InvariantError(f"the next report must be {self.report_sequence + 1}, was {report.sequence}")
        if report.fill is not None:
            self._fill(report)
        self.reservations.apply(report)
        self.report_sequence = report.sequence
        return True

    def position(self, instrument: str) -> Position:
        """Return the position of an instrument; flat where there is none. Raises `NotFoundError`."""
        return self._positions.get(instrument) or Position(self._catalog.require(instrument))

    def positions(self) -> list[Position]:
        """Return every position there was, by instrument key, with reserved instruments as flat ones."""
        keys = set(self._positions) | {held.instrument.key for held in self.reservations}
        return [self.position(key) for key in sorted(keys)]

    def equity(self, asset: str, price_of: PriceOf) -> EquityLine | None:
        """Return the equity of a settlement asset, or None where the asset or a needed price is unknown."""
        if asset not in self._starting:
            return None
        balance, unrealised = self._starting[asset] - self._foreign_fees.get(asset, ZERO), ZERO
        for position in self._positions.values():
            if position.instrument.settlement_asset != asset:
                continue
            balance = MONEY.add(balance, position.realised_pnl - position.fees)
            if position.quantity and (price := price_of(position.instrument.key)) is None:
                return None
            if position.quantity and price is not None:
                unrealised = MONEY.add(unrealised, position.unrealised_pnl(price))
        return EquityLine(asset, balance, unrealised)

    def assets(self) -> list[str]:
        """Return the settlement assets that have a balance."""
        return sorted(self._starting)

    def gross_exposure(self, price_of: PriceOf, added: Mapping[tuple[str, Side], Decimal]) -> Decimal | None:
        """Return the sum over instruments of the position's notional with its open orders filled in the worst way.

        `added` are quantities of a candidate order by instrument and side. None where a needed price is unknown.
        """
        total = ZERO
        for position in self._exposed(added):
            key = position.instrument.key
            reserved = self.reservations.quantities(key)
            buy, sell = added.get((key, Side.BUY), ZERO), added.get((key, Side.SELL), ZERO)
            worst = worst_quantity(position.quantity, reserved, buy, sell)
            if worst and (price := price_of(key)) is None:
                return None
            if worst and price is not None:
                total += position.instrument.notional(worst, price)
        return total

    def _exposed(self, added: Mapping[tuple[str, Side], Decimal]) -> list[Position]:
        known = self.positions()
        keys = {position.instrument.key for position in known}
        return known + [self.position(key) for key in sorted({key for key, _ in added} - keys)]

    def _fill(self, report: ExecutionReport) -> None:
        fill = report.fill
        if fill is None or report.side is None:
            raise InvariantError(f"report {report.sequence} must name the side of its fill")
        position = self.position(report.instrument)
        settled = fill.fee_asset in ("", position.instrument.settlement_asset)
        if not settled:
            self._foreign_fees[fill.fee_asset] = self._foreign_fees.get(fill.fee_asset, ZERO) + fill.fee
        self._positions[report.instrument] = position.with_fill(
            fill.quantity * report.side.sign, fill.price, fill.fee if settled else ZERO)


def worst_quantity(
    position: Decimal, reserved: ReservedQuantities, buy: Decimal = ZERO, sell: Decimal = ZERO
) -> Decimal:
    """Return the largest absolute position that fills of one side alone could lead to."""
    return max(abs(position + reserved.buy + buy), abs(position - reserved.sell - sell), abs(position))
