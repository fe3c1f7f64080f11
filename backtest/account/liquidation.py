"""Liquidation as values: who is under water, what must be cancelled and sold at which price, and who pays the rest.

    1 `breaches`       margin pools whose maintenance margin reaches their margin balance
    2 `plan`           orders to cancel, then one closing order a position at its bankruptcy price (`autoclose-`)
    3 the exchange carries the orders out; what the market does not take, the insurance fund takes at that price, or,
      where the fund cannot, accounts of the other side are deleveraged at it (`backtest.account.deleveraging`)
    4 `settle`         the liquidation fee goes to the fund, or the fund makes up for what is missing

At their bankruptcy prices the positions leave exactly nothing of the pool's margin balance: each bears a share of it in
proportion to its maintenance margin. Source: Binance, liquidation protocols of futures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backtest.account.booking import FillEffect
from backtest.account.contract import Contract, Pool
from backtest.account.held import HeldPosition, booked
from backtest.account.income import Income, IncomeKind
from backtest.account.margin import Marks, PositionFigures, mark_of, pool_figures
from backtest.account.state import AccountState
from sluice.decimals import MONEY, ONE, ZERO, ceil_to_step, floor_to_step
from sluice.orders import PositionSide, Side

#: How the client order ids of the exchange's own orders begin. Source: Binance, ORDER_TRADE_UPDATE.
AUTOCLOSE_PREFIX: Final = "autoclose-"
ADL_PREFIX: Final = "adl_autoclose"


@dataclass(frozen=True, slots=True)
class Breach:
    """A margin pool that is to be liquidated. `symbol` and `position_side` are None where it is the cross pool."""

    pool: Pool
    symbol: str | None
    position_side: PositionSide | None
    margin_balance: Decimal
    maintenance_margin: Decimal


@dataclass(frozen=True, slots=True)
class LiquidationOrder:
    """Close this much at this limit price or better (LIMIT, IOC). The quantity is positive."""

    symbol: str
    position_side: PositionSide
    side: Side
    quantity: Decimal
    bankruptcy_price: Decimal


@dataclass(frozen=True, slots=True)
class LiquidationPlan:
    """What the exchange does about a breach. `balance` is the wallet at stake before the first order."""

    breach: Breach
    cancel_symbols: tuple[str, ...]
    orders: tuple[LiquidationOrder, ...]
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of a liquidation: what the insurance fund gets, negative where it pays."""

    pool: Pool
    to_fund: Decimal
    income: tuple[Income, ...]


def breaches(state: AccountState, pool: Pool, marks: Marks, share: Decimal = ONE) -> tuple[Breach, ...]:
    """Return the cross pool and the isolated positions of a wallet whose margin is used up, at these marks.

    With a `share` below 1, return those whose maintenance margin reaches that share of their margin balance: they are
    to be warned. It is asked at every mark price, so it counts only what it needs.
    """
    balance, maintenance, found = state.cross_wallet_balance(pool), ZERO, []
    for held in state.held(pool):
        mark_price, contract = mark_of(held, marks), state.contract(held.symbol)
        profit = held.unrealised_pnl(mark_price)
        needed = contract.brackets.maintenance_margin(contract.value(held.quantity, mark_price))
        if not state.settings_of(held.symbol).isolated:
            balance, maintenance = balance + profit, maintenance + needed
        elif needed >= MONEY.multiply(held.isolated_wallet + profit, share):
            found.append(Breach(pool, held.symbol, held.side, held.isolated_wallet + profit, needed))
    if ZERO < maintenance >= MONEY.multiply(balance, share):
        found.insert(0, Breach(pool, None, None, balance, maintenance))
    return tuple(found)


def plan(state: AccountState, breach: Breach, marks: Marks) -> LiquidationPlan:
    """Return what to cancel and to close. A cross breach cancels all orders of the wallet, whose margin they claim."""
    figures = pool_figures(state, breach.pool, marks)
    if breach.symbol is None:
        rows = [row for row in figures.positions if not row.isolated and row.held.quantity]
        cancelled = sorted({row.held.symbol for row in figures.positions if state.open_orders.has(row.held.symbol)})
        balance = figures.cross_wallet_balance
    else:
        rows = [r for r in figures.positions if (r.held.symbol, r.held.side) == (breach.symbol, breach.position_side)]
        cancelled = [breach.symbol] if state.open_orders.has(breach.symbol) else []
        balance = rows[0].held.isolated_wallet
    return LiquidationPlan(breach, tuple(cancelled), _orders(state, breach, rows), balance)


def _orders(state: AccountState, breach: Breach, rows: Sequence[PositionFigures]) -> tuple[LiquidationOrder, ...]:
    total = sum((row.maintenance_margin for row in rows), ZERO)
    return tuple(_order(state.contract(row.held.symbol), row,
                        MONEY.divide(MONEY.multiply(breach.margin_balance, row.maintenance_margin), total))
                 for row in rows)


def _order(contract: Contract, row: PositionFigures, margin: Decimal) -> LiquidationOrder:
    exact = bankruptcy_price(row.held, row.mark_price, margin)
    side = Side.SELL if row.held.quantity > ZERO else Side.BUY
    to_step = ceil_to_step if side is Side.SELL else floor_to_step
    price = max(to_step(exact, contract.instrument.tick_size), contract.instrument.tick_size)
    return LiquidationOrder(row.held.symbol, row.held.side, side, abs(row.held.quantity), price)


def bankruptcy_price(held: HeldPosition, mark_price: Decimal, margin: Decimal) -> Decimal:
    """Return the price at which a position has lost `margin` more than at the mark price.

    Linear: mark - margin / size. Inverse: 1 / (1/mark + margin / size). Size is signed. The mark price itself where no
    price loses so much (an inverse short with more margin than value).
    """
    per_unit = MONEY.divide(margin, held.signed_size)
    if not held.instrument.inverse:
        return mark_price - per_unit
    inverted = MONEY.divide(ONE, mark_price) + per_unit
    return MONEY.divide(ONE, inverted) if inverted > ZERO else mark_price


def settle(state: AccountState, plan: LiquidationPlan, effects: Sequence[FillEffect], time_ms: int) -> Settlement:
    """Book the end of a liquidation, after the fills of all its orders (with a fee rate of 0).

    What is left pays the liquidation fee (the contract's rate on the liquidated value, at most what is left); what is
    missing comes from the fund. Either is one INSURANCE_CLEAR row.
    """
    left = plan.balance + sum((effect.balance_change for effect in effects), ZERO)
    fee = sum((MONEY.multiply(effect.value, state.contract(effect.fill.symbol).liquidation_fee_rate)
               for effect in effects), ZERO)
    to_fund = min(left, booked(fee))
    if not to_fund:
        return Settlement(plan.breach.pool, ZERO, ())
    row = state.book(IncomeKind.INSURANCE_CLEAR, plan.breach.pool, -to_fund, time_ms, plan.breach.symbol or "")
    return Settlement(plan.breach.pool, to_fund, (row,))
