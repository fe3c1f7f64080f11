"""The insurance fund, and automatic deleveraging (ADL) where it cannot help.

The fund is an account like any other, in one-way mode and without fees: it takes positions over at their bankruptcy
price as long as its own margin balance bears the loss at mark. Otherwise the accounts of the other side close at that
price, those with the highest score first:

    score = PnL share * effective leverage     where in profit          PnL share = uPnL / value at entry
    score = PnL share / effective leverage     where in loss            effective leverage = value / margin balance

Source: Binance, how auto-deleveraging works.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from backtest.account.liquidation import LiquidationOrder
from backtest.account.margin import Marks, PoolFigures, PositionFigures, pool_figures
from backtest.account.state import AccountState
from sluice.decimals import MONEY, ZERO
from sluice.orders import PositionSide, Side
from sluice.positions import Position


@dataclass(frozen=True, slots=True)
class Ranked:
    """A position in the queue of deleveraging. `quantity` is signed, `score` higher where sooner in turn."""

    account: str
    position_side: PositionSide
    quantity: Decimal
    score: Decimal


@dataclass(frozen=True, slots=True)
class Deleveraging:
    """Close this much of an account's position at the bankruptcy price. The quantity is positive."""

    account: str
    position_side: PositionSide
    side: Side
    quantity: Decimal


def fund_bears(fund: AccountState, order: LiquidationOrder, quantity: Decimal, marks: Marks) -> bool:
    """Tell whether the fund can take over a quantity of a liquidation: its margin balance at mark stays above 0."""
    contract = fund.contract(order.symbol)
    taken = Position(contract.instrument).with_fill(-order.side.sign * quantity, order.bankruptcy_price, ZERO)
    loss = taken.unrealised_pnl(marks.get(order.symbol) or order.bankruptcy_price)
    return pool_figures(fund, contract.pool, marks).margin_balance + loss >= ZERO


def score(figures: PoolFigures, row: PositionFigures) -> Decimal:
    """Return a position's rank in deleveraging, higher where sooner in turn."""
    balance = row.isolated_margin if row.isolated else figures.cross_margin_balance
    value = abs(row.signed_value)
    if value == ZERO or balance <= ZERO:
        return ZERO
    share = MONEY.divide(row.unrealised_pnl, row.held.entry_value)
    leverage = MONEY.divide(value, balance)
    return MONEY.multiply(share, leverage) if share > ZERO else MONEY.divide(share, leverage)


def ranking(accounts: Mapping[str, AccountState], symbol: str, marks: Marks, *, long: bool) -> tuple[Ranked, ...]:
    """Return the positions of one direction in a symbol, the one to be deleveraged first in front."""
    found = [entry for name, state in accounts.items() for entry in _ranked(name, state, symbol, marks)
             if (entry.quantity > ZERO) is long]
    return tuple(sorted(found, key=lambda entry: (-entry.score, entry.account, entry.position_side.value)))


def _ranked(name: str, state: AccountState, symbol: str, marks: Marks) -> list[Ranked]:
    figures = pool_figures(state, state.contract(symbol).pool, marks)
    return [Ranked(name, row.held.side, row.held.quantity, score(figures, row))
            for row in figures.positions if row.held.symbol == symbol and row.held.quantity]


def deleverage(queue: Sequence[Ranked], quantity: Decimal) -> tuple[tuple[Deleveraging, ...], Decimal]:
    """Return who closes how much of a quantity, and what nobody is left to take."""
    closings: list[Deleveraging] = []
    for entry in queue:
        taken = min(quantity, abs(entry.quantity))
        if taken > ZERO:
            side = Side.SELL if entry.quantity > ZERO else Side.BUY
            closings.append(Deleveraging(entry.account, entry.position_side, side, taken))
        quantity -= taken
    return tuple(closings), quantity


def quantile(queue: Sequence[Ranked], account: str, side: PositionSide) -> int:
    """Return the ADL light of a position, 0 (last in turn) to 4 (first), by its place in the queue of its direction."""
    for place, entry in enumerate(queue):
        if (entry.account, entry.position_side) == (account, side):
            return 5 * (len(queue) - 1 - place) // len(queue)
    return 0
