"""What money must know of a contract: the instrument, its brackets and its liquidation fee."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from backtest.account.brackets import BracketTable, shipped_brackets
from sluice.decimals import MONEY
from sluice.instruments import Instrument, Venue

#: exchangeInfo's `liquidationFee`: the share of a liquidated value that the insurance fund takes.
LIQUIDATION_FEE_RATE: Final = Decimal("0.0125")

#: A wallet's place: the product (as its venue) and the asset. Every such pair is a margin pool of its own.
Pool = tuple[Venue, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """An instrument with the terms of its margin."""

    instrument: Instrument
    brackets: BracketTable
    liquidation_fee_rate: Decimal = LIQUIDATION_FEE_RATE

    @classmethod
    def shipped(cls, instrument: Instrument) -> Self:
        """Return an instrument with the project's own brackets."""
        return cls(instrument, shipped_brackets(instrument))

    @property
    def pool(self) -> Pool:
        """Return the wallet that pays for this contract."""
        return self.instrument.venue, self.instrument.settlement_asset

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the absolute value in the settlement asset: quote (linear), or contracts * size / price (inverse)."""
        notional = self.instrument.notional(quantity, price)
        return MONEY.divide(notional, price) if self.instrument.inverse else notional
