"""What a fill and a funding payment do to an account: positions, wallets and income rows change here and nowhere else.

Amounts are booked in multiples of 1e-8, half to even. A position's isolated margin comes from the cross wallet when it
opens (value / leverage, as far as the wallet reaches) and goes back in proportion as it closes; realised profit and
fees go to the cross wallet.
"""

from dataclasses import dataclass
from decimal import Decimal

from backtest.account.contract import Contract, Pool
from backtest.account.held import HeldPosition, booked
from backtest.account.income import Income, IncomeKind
from backtest.account.state import AccountState
from sluice.decimals import MONEY, ZERO
from sluice.errors import InvariantError
from sluice.orders import PositionSide, Side
from sluice.positions import trade_fee


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of one order. `fee_rate` replaces the account's own rates where given (a liquidation pays no fee)."""

    symbol: str
    position_side: PositionSide
    side: Side
    quantity: Decimal
    price: Decimal
    maker: bool
    time_ms: int
    trade_id: str
    fee_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FillEffect:
    """What a fill changed. Amounts are in `pool`'s asset; `commission` is positive where paid."""

    fill: Fill
    pool: Pool
    value: Decimal
    realised_pnl: Decimal
    commission: Decimal
    wallet_balance: Decimal
    cross_wallet_balance: Decimal
    before: HeldPosition
    after: HeldPosition
    income: tuple[Income, ...]

    @property
    def asset(self) -> str:
        """Return the asset of all amounts."""
        return self.pool[1]

    @property
    def balance_change(self) -> Decimal:
        """Return by how much the wallet changed."""
        return self.realised_pnl - self.commission


@dataclass(frozen=True, slots=True)
class FundingEffect:
    """A funding payment of one position, positive where received."""

    pool: Pool
    payment: Decimal
    isolated: bool
    wallet_balance: Decimal
    cross_wallet_balance: Decimal
    held: HeldPosition
    income: Income


def apply_fill(state: AccountState, fill: Fill) -> FillEffect:
    """Book a fill. Raises `InvariantError` where its position side does not fit, or a hedge position would turn."""
    contract = state.contract(fill.symbol)
    before = state.position(fill.symbol, fill.position_side)
    signed = fill.quantity * fill.side.sign
    _require_fitting(state, before, fill, signed)
    commission = trade_fee(contract.instrument, fill.quantity, fill.price, _rate(state, contract, fill))
    after = before.with_fill(signed, fill.price, commission, fill.time_ms)
    realised = booked(after.position.realised_pnl - before.position.realised_pnl)
    state.keep(after)
    rows = _book(state, contract, fill, realised, commission)
    if state.settings_of(fill.symbol).isolated:
        after = _set_aside(state, contract, before, after, fill)
    state.fees.add(fill.time_ms, contract.instrument.notional(fill.quantity, fill.price))
    return FillEffect(
        fill=fill, pool=contract.pool, value=contract.value(fill.quantity, fill.price), realised_pnl=realised,
        commission=commission, wallet_balance=state.wallet_balance(contract.pool),
        cross_wallet_balance=state.cross_wallet_balance(contract.pool), before=before, after=after, income=rows)


def _require_fitting(state: AccountState, before: HeldPosition, fill: Fill, signed: Decimal) -> None:
    hedged = fill.position_side is not PositionSide.BOTH
    if hedged is not state.hedge_mode:
        raise InvariantError(f"a fill's position side must fit the account's mode, was {fill.position_side.name}")
    after = before.quantity + signed
    wrong = after < ZERO if fill.position_side is PositionSide.LONG else after > ZERO
    if hedged and wrong:
        raise InvariantError(f"a hedge position must not turn, was {before.quantity} and a fill of {signed}")


def _rate(state: AccountState, contract: Contract, fill: Fill) -> Decimal:
    if fill.fee_rate is not None:
        return fill.fee_rate
    rates = state.fees.rates(contract.instrument.venue, fill.time_ms)
    return rates.maker if fill.maker else rates.taker


def _book(state: AccountState, contract: Contract, fill: Fill, realised: Decimal,
          commission: Decimal) -> tuple[Income, ...]:
    amounts = ((IncomeKind.REALISED_PNL, realised), (IncomeKind.COMMISSION, -commission))
    return tuple(state.book(kind, contract.pool, amount, fill.time_ms, fill.symbol, fill.trade_id)
                 for kind, amount in amounts if amount)


def _set_aside(state: AccountState, contract: Contract, before: HeldPosition, after: HeldPosition,
               fill: Fill) -> HeldPosition:
    turned = before.quantity * after.quantity < ZERO
    opened = abs(after.quantity) - (ZERO if turned else abs(before.quantity))
    if opened <= ZERO:
        return after
    wanted = MONEY.divide(contract.value(opened, fill.price), Decimal(state.settings_of(fill.symbol).leverage))
    margin = min(booked(wanted), max(ZERO, state.cross_wallet_balance(contract.pool)))
    held = after.with_isolated(margin, fill.time_ms)
    state.keep(held)
    return held


def apply_funding(state: AccountState, symbol: str, rate: Decimal, mark_price: Decimal,
                  time_ms: int) -> tuple[FundingEffect, ...]:
    """Book the funding payment of each position in a symbol: -(signed value at mark) * rate.

    Cross positions pay from the wallet, isolated ones from their own margin. Source: Binance, funding rates of futures.
    """
    sides = (PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT)
    held = [state.position(symbol, side) for side in sides if (symbol, side) in state.positions]
    effects = (_fund(state, position, rate, mark_price, time_ms) for position in held if position.quantity)
    return tuple(effect for effect in effects if effect is not None)


def _fund(state: AccountState, held: HeldPosition, rate: Decimal, mark_price: Decimal,
          time_ms: int) -> FundingEffect | None:
    contract = state.contract(held.symbol)
    value = contract.value(held.quantity, mark_price).copy_sign(held.quantity)
    if not (payment := booked(-MONEY.multiply(value, rate))):
        return None
    isolated = state.settings_of(held.symbol).isolated
    after = held.with_funding(payment, time_ms, isolated=isolated)
    state.keep(after)
    row = state.book(IncomeKind.FUNDING_FEE, contract.pool, payment, time_ms, held.symbol)
    return FundingEffect(contract.pool, payment, isolated, state.wallet_balance(contract.pool),
                         state.cross_wallet_balance(contract.pool), after, row)
