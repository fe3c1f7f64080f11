"""Changes of an account's settings and margin that a client asks for, each answered by a refusal or by None for done.

The order of the questions is the order in which Binance finds fault; see its error codes -4028, -4046 to -4068, -4161.
"""

from decimal import Decimal

from backtest.account import refusals
from backtest.account.contract import Pool
from backtest.account.held import booked
from backtest.account.income import IncomeKind
from backtest.account.margin import Marks, PositionFigures, exposure, mark_of, pool_figures, position_figures
from backtest.account.refusals import Refusal
from backtest.account.state import AccountState
from sluice.decimals import ZERO
from sluice.instruments import Venue
from sluice.orders import PositionSide

_SIDES = (PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT)


def set_leverage(state: AccountState, symbol: str, leverage: int, marks: Marks) -> Refusal | None:
    """Change a symbol's leverage. More is taken at once; less must fit the position and the available balance."""
    contract, now = state.contract(symbol), state.settings_of(symbol)
    if not 1 <= leverage <= contract.brackets.max_leverage:
        return refusals.leverage_not_valid(leverage)
    rows = _rows(state, symbol, marks)
    if now.isolated and leverage < now.leverage and any(row.held.quantity for row in rows):
        return refusals.ISOLATED_LEVERAGE_DOWN
    largest = contract.brackets.max_value(leverage)
    if any(_exposure(state, row) > largest for row in rows):
        return refusals.POSITION_TOO_LARGE
    claimed = sum((row.initial_margin for row in rows), ZERO)
    more = claimed * now.leverage / leverage - claimed
    if more > ZERO and more > pool_figures(state, contract.pool, marks).available_balance:
        return refusals.LEVERAGE_TOO_SMALL
    state.set_settings(symbol, leverage=leverage)
    return None


def _rows(state: AccountState, symbol: str, marks: Marks) -> list[PositionFigures]:
    held = [state.position(symbol, side) for side in _SIDES]
    return [position_figures(state, h, mark_of(h, marks)) for h in held]


def _exposure(state: AccountState, row: PositionFigures) -> Decimal:
    totals = state.open_orders.totals(row.held.symbol, row.held.side)
    return exposure(row.held.side, row.signed_value, totals)


def set_margin_type(state: AccountState, symbol: str, *, isolated: bool) -> Refusal | None:
    """Change a symbol between cross and isolated margin; only without open orders and position."""
    if state.settings_of(symbol).isolated is isolated:
        return refusals.SAME_MARGIN_TYPE
    if state.open_orders.has(symbol):
        return refusals.MARGIN_TYPE_HAS_ORDERS
    if any(state.position(symbol, side).quantity for side in _SIDES):
        return refusals.MARGIN_TYPE_HAS_POSITION
    state.set_settings(symbol, isolated=isolated)
    return None


def set_position_mode(state: AccountState, *, hedge: bool) -> Refusal | None:
    """Change the whole account between one-way and hedge mode; only without any open order and position."""
    if state.hedge_mode is hedge:
        return refusals.SAME_POSITION_MODE
    if state.open_orders.has():
        return refusals.POSITION_MODE_HAS_ORDERS
    if state.held():
        return refusals.POSITION_MODE_HAS_POSITION
    state.hedge_mode = hedge
    return None


def adjust_position_margin(state: AccountState, symbol: str, side: PositionSide, amount: Decimal, marks: Marks, *,
                           add: bool, time_ms: int) -> Refusal | None:
    """Move margin between the cross wallet and an isolated position. What must stay is the initial margin at mark."""
    held = state.position(symbol, side)
    if amount <= ZERO:
        return refusals.AMOUNT_NOT_POSITIVE
    if not state.settings_of(symbol).isolated:
        return refusals.ONLY_ISOLATED
    if not held.quantity:
        return refusals.NO_POSITION_FOR_MARGIN
    moved = booked(amount)
    if add and moved > pool_figures(state, state.contract(symbol).pool, marks).available_balance:
        return refusals.CROSS_INSUFFICIENT
    if not add and moved > removable_margin(state, symbol, side, marks):
        return refusals.ISOLATED_INSUFFICIENT
    state.keep(held.with_isolated(moved if add else -moved, time_ms))
    return None


def removable_margin(state: AccountState, symbol: str, side: PositionSide, marks: Marks) -> Decimal:
    """Return how much margin may be taken from an isolated position; unrealised profit stays."""
    held = state.position(symbol, side)
    row = position_figures(state, held, mark_of(held, marks))
    return max(ZERO, held.isolated_wallet + min(ZERO, row.unrealised_pnl) - row.position_initial_margin)


def transfer(state: AccountState, pool: Pool, amount: Decimal, marks: Marks, time_ms: int) -> Refusal | None:
    """Deposit (positive) or withdraw (negative); unrealised profit and claimed margin cannot be withdrawn."""
    change = booked(amount)
    if change < ZERO and -change > pool_figures(state, pool, marks).max_withdraw:
        return refusals.CROSS_INSUFFICIENT
    state.book(IncomeKind.TRANSFER, pool, change, time_ms)
    return None


def products(state: AccountState) -> frozenset[Venue]:
    """Return the products in which the account has a position or an open order."""
    return frozenset(state.contract(symbol).instrument.venue
                     for symbol in {held.symbol for held in state.held()} | {o.symbol for o in state.open_orders})
