"""A position as the venue holds it: side, isolated margin and what it has cost so far, around the shared money rules.

`sluice.positions.Position` counts entry price and profit, as for everybody else. The venue books amounts in multiples
of 1e-8, so a wallet is always such a multiple and equals the sum of its income rows to the last digit; the position's
own `realised_pnl` keeps the exact figure.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from sluice.decimals import MONEY, ONE, ZERO
from sluice.instruments import Instrument
from sluice.orders import PositionSide
from sluice.positions import SMALLEST_AMOUNT, Position


def booked(amount: Decimal) -> Decimal:
    """Return an amount as a wallet takes it: rounded half to even to 8 decimals."""
    return amount.quantize(SMALLEST_AMOUNT, context=MONEY)


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """One position of an account.

    `isolated_wallet` is the margin set aside for it, 0 where it shares the cross wallet. `costs` are the fees and
    funding paid less the profit realised since it was last flat, in the settlement asset. `updated_ms` is the time of
    its last change, 0 before the first.
    """

    position: Position
    side: PositionSide
    isolated_wallet: Decimal = ZERO
    costs: Decimal = ZERO
    updated_ms: int = 0

    @classmethod
    def flat(cls, instrument: Instrument, side: PositionSide) -> "HeldPosition":
        """Return the position before its first fill."""
        return cls(Position(instrument), side)

    @property
    def instrument(self) -> Instrument:
        """Return what is held."""
        return self.position.instrument

    @property
    def symbol(self) -> str:
        """Return the venue's symbol of what is held."""
        return self.position.instrument.symbol

    @property
    def quantity(self) -> Decimal:
        """Return the signed quantity, long positive, in base units or contracts."""
        return self.position.quantity

    @property
    def signed_size(self) -> Decimal:
        """Return the signed quantity times the contract size: base units (linear) or quote units (inverse)."""
        return self.position.quantity * self.position.instrument.contract_size

    @property
    def entry_price(self) -> Decimal:
        """Return the average entry price, harmonic for inverse contracts; zero when flat."""
        return self.position.entry_price

    @property
    def entry_value(self) -> Decimal:
        """Return the absolute value at entry in the settlement asset; zero when flat."""
        if self.quantity == ZERO:
            return ZERO
        size = abs(self.signed_size)
        return MONEY.divide(size, self.entry_price) if self.instrument.inverse else MONEY.multiply(
            size, self.entry_price)

    @property
    def break_even_price(self) -> Decimal:
        """Return the price at which closing without a fee would give back all costs; zero when flat or never.

        Linear: entry + costs / size. Inverse: 1 / (1/entry - costs / size). Source: Binance, `breakEvenPrice` of
        positionRisk (0.385 bought at a fee of 0.02 % shows 0.385077).
        """
        if self.quantity == ZERO:
            return ZERO
        per_unit = MONEY.divide(self.costs, self.signed_size)
        if not self.instrument.inverse:
            return max(ZERO, MONEY.add(self.entry_price, per_unit))
        inverted = MONEY.subtract(MONEY.divide(ONE, self.entry_price), per_unit)
        return MONEY.divide(ONE, inverted) if inverted > ZERO else ZERO

    def unrealised_pnl(self, mark_price: Decimal) -> Decimal:
        """Return the profit of closing at a mark price, in the settlement asset, not rounded."""
        return self.position.unrealised_pnl(mark_price)

    def with_fill(self, signed_quantity: Decimal, price: Decimal, fee: Decimal, time_ms: int) -> "HeldPosition":
        """Return the position after a fill (buy positive). A fee of a fill that turns it round is split by quantity.

        The isolated wallet of what is closed is given back; that of what is opened is the caller's to add.
        """
        after = self.position.with_fill(signed_quantity, price, fee)
        realised = after.realised_pnl - self.position.realised_pnl
        same_way = self.quantity * after.quantity > ZERO
        if after.quantity == ZERO:
            costs = ZERO
        elif same_way:
            costs = self.costs + fee - realised
        else:
            costs = MONEY.divide(MONEY.multiply(fee, abs(after.quantity)), abs(signed_quantity))
        return replace(self, position=after, costs=costs, updated_ms=time_ms,
                       isolated_wallet=self.isolated_wallet - self._released(after.quantity))

    def _released(self, quantity_after: Decimal) -> Decimal:
        if quantity_after * self.quantity <= ZERO:
            return self.isolated_wallet
        kept = MONEY.divide(abs(quantity_after), abs(self.quantity))
        if kept >= ONE:
            return ZERO
        return booked(MONEY.multiply(self.isolated_wallet, ONE - kept))

    def with_isolated(self, change: Decimal, time_ms: int) -> "HeldPosition":
        """Return the position with its isolated wallet changed."""
        return replace(self, isolated_wallet=self.isolated_wallet + change, updated_ms=time_ms)

    def with_funding(self, payment: Decimal, time_ms: int, *, isolated: bool) -> "HeldPosition":
        """Return the position after a funding payment (positive where received)."""
        change = payment if isolated else ZERO
        return replace(self, costs=self.costs - payment, isolated_wallet=self.isolated_wallet + change,
                       updated_ms=time_ms)
