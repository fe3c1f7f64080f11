"""Positions and their money, linear and inverse, in exact decimals.

    linear    PnL = quantity * contract_size * (exit - entry)               in the quote asset
    inverse   PnL = contracts * contract_size * (1/entry - 1/exit)          in the base asset (coin)
              entry = sum(contracts) / sum(contracts / price)               harmonic mean

Source: Binance's contract specifications for USD-M and COIN-M futures. Risk's portfolio, the simulated venue and the
reports all count with this one class, so they agree to the last digit.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from sluice.decimals import MONEY, ONE, ZERO
from sluice.instruments import Instrument

#: Balances, fees and funding are booked in multiples of this, whatever the asset.
SMALLEST_AMOUNT = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Position:
    """A position in one instrument. `quantity` is signed (long positive); `entry_price` is zero when flat.

    `realised_pnl` and `fees` are in the settlement asset and accumulate over the position's whole life; fees are
    positive where paid.
    """

    instrument: Instrument
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    realised_pnl: Decimal = ZERO
    fees: Decimal = ZERO

    def with_fill(self, signed_quantity: Decimal, price: Decimal, fee: Decimal) -> "Position":
        """Return the position after a fill (buy positive), which may open, add, reduce, close or turn it round."""
        closing = ZERO
        if self.quantity * signed_quantity < ZERO:
            closing = min(abs(signed_quantity), abs(self.quantity))
        realised = self._pnl(closing.copy_sign(self.quantity), price) if closing else ZERO
        quantity = self.quantity + signed_quantity
        return replace(
            self,
            quantity=quantity,
            entry_price=self._entry_after(signed_quantity, quantity, price),
            realised_pnl=MONEY.add(self.realised_pnl, realised),
            fees=MONEY.add(self.fees, fee),
        )

    def unrealised_pnl(self, mark_price: Decimal) -> Decimal:
        """Return the profit of closing at a mark price, in the settlement asset."""
        return self._pnl(self.quantity, mark_price) if self.quantity else ZERO

    def notional(self, mark_price: Decimal) -> Decimal:
        """Return the absolute value in the quote asset."""
        return self.instrument.notional(self.quantity, mark_price)

    def _pnl(self, signed_quantity: Decimal, exit_price: Decimal) -> Decimal:
        size = MONEY.multiply(signed_quantity, self.instrument.contract_size)
        if self.instrument.inverse:
            move = MONEY.subtract(MONEY.divide(ONE, self.entry_price), MONEY.divide(ONE, exit_price))
        else:
            move = exit_price - self.entry_price
        return MONEY.multiply(size, move)

    def _entry_after(self, signed_quantity: Decimal, quantity: Decimal, price: Decimal) -> Decimal:
        if quantity == ZERO:
            return ZERO
        if self.quantity * quantity <= ZERO:
            return price
        if abs(quantity) < abs(self.quantity):
            return self.entry_price
        return average_price(self.instrument, ((self.quantity, self.entry_price), (signed_quantity, price)))


def average_price(instrument: Instrument, fills: tuple[tuple[Decimal, Decimal], ...]) -> Decimal:
    """Return the average price of (quantity, price) pairs of one direction: arithmetic, or harmonic where inverse.

    Raises `decimal.InvalidOperation` where there is no quantity.
    """
    total = sum((quantity for quantity, _ in fills), ZERO)
    if instrument.inverse:
        values = sum((MONEY.divide(quantity, price) for quantity, price in fills), ZERO)
        return MONEY.divide(total, values)
    values = sum((MONEY.multiply(quantity, price) for quantity, price in fills), ZERO)
    return MONEY.divide(values, total)


def trade_fee(instrument: Instrument, quantity: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """Return the fee of a trade in the settlement asset: value * rate, in coin where the contract is inverse.

    Inverse: contracts * contract_size / price * rate. To 8 decimals, as venues book it. Source: Binance, futures fees.
    """
    value = instrument.notional(quantity, price)
    exact = MONEY.multiply(MONEY.divide(value, price) if instrument.inverse else value, rate)
    return exact.quantize(SMALLEST_AMOUNT, context=MONEY)
