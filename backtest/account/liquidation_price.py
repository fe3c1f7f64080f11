"""At which price a margin pool has exactly its maintenance margin left.

With x the price (linear) or its inverse (inverse contracts), the margin left over is concave and piecewise linear:

    left(x) = base + sum(d) * x - sum(|d| * x * ratio - cum)
    linear    d = signed size,   base = balance - sum(signed size * entry)
    inverse   d = -signed size,  base = balance + sum(signed size / entry)

where balance is the wallet less the maintenance margin plus the unrealised profit of the pool's other contracts. The
ratio and cum of each leg are those of its bracket at x itself. Solved for one leg this is Binance's formula

    (WB - TMM + UPNL + cum - side * q * EP) / (q * ratio - side * q)

Source: Binance, how to calculate the liquidation price of USD-M and COIN-M futures contracts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backtest.account.brackets import Bracket, BracketTable
from sluice.decimals import MONEY, ONE, ZERO

_SLACK: Final = Decimal("1E-25")


@dataclass(frozen=True, slots=True)
class Leg:
    """One position of the contract in question: in hedge mode there may be two. Size is quantity * contract size."""

    signed_size: Decimal
    entry_price: Decimal


def liquidation_price(legs: Sequence[Leg], balance: Decimal, brackets: BracketTable, *, inverse: bool) -> Decimal:
    """Return the price at which the legs' pool is liquidated; 0 where no price does it.

    `balance` is what the pool has besides the legs, in the settlement asset (isolated: the isolated wallet). A pool
    that gains with x is liquidated at the lower root, any other (also one hedged to zero) at the upper root.
    """
    held = [leg for leg in legs if leg.signed_size]
    if not held:
        return ZERO
    pool = _Pool.of(held, balance, brackets, inverse=inverse)
    root = pool.lower_root() if pool.slope > ZERO else pool.upper_root()
    if root is None or root <= ZERO:
        return ZERO
    return MONEY.divide(ONE, root) if inverse else root


def _lies_on(root: Decimal, start: Decimal, end: Decimal | None) -> bool:
    """Tell whether a root is on a stretch. A root on an edge counts for both sides, whatever the last digit says."""
    return root >= MONEY.multiply(start, ONE - _SLACK) and (end is None or root <= MONEY.multiply(end, ONE + _SLACK))


@dataclass(frozen=True, slots=True)
class _Pool:
    base: Decimal
    slope: Decimal
    sizes: tuple[Decimal, ...]
    brackets: BracketTable

    @classmethod
    def of(cls, legs: Sequence[Leg], balance: Decimal, brackets: BracketTable, *, inverse: bool) -> "_Pool":
        base = balance
        for leg in legs:
            paid = (MONEY.divide(leg.signed_size, leg.entry_price) if inverse
                    else -MONEY.multiply(leg.signed_size, leg.entry_price))
            base = MONEY.add(base, paid)
        net = sum((leg.signed_size for leg in legs), ZERO)
        return cls(base, -net if inverse else net, tuple(abs(leg.signed_size) for leg in legs), brackets)

    def lower_root(self) -> Decimal | None:
        """Return the least x at which the margin left turns positive; None where it is never negative or always."""
        if self.base >= ZERO:
            return None
        for start, end in self._segments():
            root = self._root_within(start)
            if root is not None and _lies_on(root, start, end):
                return root
        return None

    def upper_root(self) -> Decimal | None:
        """Return the greatest x at which the margin left is not negative; None where it is negative throughout."""
        for start, end in reversed(self._segments()):
            root = self._root_within(start)
            if root is not None and _lies_on(root, start, end):
                return root
        return None

    def _segments(self) -> list[tuple[Decimal, Decimal | None]]:
        """Return the stretches of x in which no leg changes its bracket, rising; the last has no end."""
        edges = sorted({ZERO} | {MONEY.divide(bracket.floor, size) for bracket in self.brackets.brackets
                                 for size in self.sizes})
        return list(zip(edges, [*edges[1:], None], strict=True))

    def _root_within(self, start: Decimal) -> Decimal | None:
        """Return where the line of the stretch from `start` is zero, whether or not that lies on the stretch."""
        slope, base = self.slope, self.base
        for size in self.sizes:
            bracket = self._bracket_from(start, size)
            slope = MONEY.subtract(slope, MONEY.multiply(size, bracket.maintenance_ratio))
            base = MONEY.add(base, bracket.cum)
        return None if slope == ZERO else MONEY.divide(-base, slope)

    def _bracket_from(self, start: Decimal, size: Decimal) -> Bracket:
        found = self.brackets.brackets[0]
        for bracket in self.brackets.brackets:
            # The same division that made the edge, so that an edge never falls before its own floor by rounding.
            if MONEY.divide(bracket.floor, size) <= start:
                found = bracket
        return found
