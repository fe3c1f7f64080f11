"""Margin figures of an account at given mark prices, and whether another order fits. Reads state, changes nothing.

    position initial margin   = value at mark / leverage
    initial margin (one-way)  = max(|P + bids|, |P - asks|) / leverage         P = signed value of the position
    initial margin (hedge)    = (|P| + orders that open) / leverage            for each side by itself
    available balance         = max(0, cross wallet + cross uPnL - cross initial margin - isolated order margin)
    cost of an order          = increase of the initial margin + open loss

All amounts are in the settlement asset. Source: Binance, cost required to open a position; margin requirement and
available for order in perpetual futures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from backtest.account import refusals
from backtest.account.contract import Contract, Pool
from backtest.account.held import HeldPosition
from backtest.account.liquidation_price import Leg, liquidation_price
from backtest.account.open_orders import OrderTotals
from backtest.account.refusals import Refusal
from backtest.account.state import AccountState
from sluice.decimals import MONEY, ONE, ZERO
from sluice.orders import PositionSide, Side

Marks = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """One row of positionRisk. Values are in the settlement asset, `signed_value` negative where short."""

    held: HeldPosition
    mark_price: Decimal
    leverage: int
    isolated: bool
    signed_value: Decimal
    unrealised_pnl: Decimal
    position_initial_margin: Decimal
    open_order_initial_margin: Decimal
    maintenance_margin: Decimal
    bid_value: Decimal
    ask_value: Decimal

    @property
    def initial_margin(self) -> Decimal:
        """Return the margin that the position and its open orders ask for."""
        return self.position_initial_margin + self.open_order_initial_margin

    @property
    def isolated_margin(self) -> Decimal:
        """Return an isolated position's margin with its unrealised profit; 0 where cross."""
        return self.held.isolated_wallet + self.unrealised_pnl if self.isolated else ZERO


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """One wallet with its margins, as the assets of `GET account` show it."""

    pool: Pool
    wallet_balance: Decimal
    cross_wallet_balance: Decimal
    positions: tuple[PositionFigures, ...]

    def _sum(self, name: str, *, cross_only: bool = False) -> Decimal:
        return sum((getattr(row, name) for row in self.positions if not (cross_only and row.isolated)), ZERO)

    @property
    def unrealised_pnl(self) -> Decimal:
        """Return the unrealised profit of all positions."""
        return self._sum("unrealised_pnl")

    @property
    def cross_unrealised_pnl(self) -> Decimal:
        """Return the unrealised profit of the positions that share the cross wallet."""
        return self._sum("unrealised_pnl", cross_only=True)

    @property
    def margin_balance(self) -> Decimal:
        """Return wallet balance plus unrealised profit."""
        return self.wallet_balance + self.unrealised_pnl

    @property
    def cross_margin_balance(self) -> Decimal:
        """Return what the cross positions' maintenance margin is measured against."""
        return self.cross_wallet_balance + self.cross_unrealised_pnl

    @property
    def position_initial_margin(self) -> Decimal:
        """Return the initial margin of all positions."""
        return self._sum("position_initial_margin")

    @property
    def open_order_initial_margin(self) -> Decimal:
        """Return the initial margin of all open orders."""
        return self._sum("open_order_initial_margin")

    @property
    def initial_margin(self) -> Decimal:
        """Return the initial margin of positions and open orders."""
        return self.position_initial_margin + self.open_order_initial_margin

    @property
    def maintenance_margin(self) -> Decimal:
        """Return the maintenance margin of all positions."""
        return self._sum("maintenance_margin")

    @property
    def cross_maintenance_margin(self) -> Decimal:
        """Return the maintenance margin of the cross positions."""
        return self._sum("maintenance_margin", cross_only=True)

    @property
    def _claimed(self) -> Decimal:
        return self._sum("position_initial_margin", cross_only=True) + self.open_order_initial_margin

    @property
    def available_balance(self) -> Decimal:
        """Return what new orders may use."""
        return max(ZERO, self.cross_margin_balance - self._claimed)

    @property
    def max_withdraw(self) -> Decimal:
        """Return what may be taken out: unrealised profit stays, unrealised loss counts."""
        return max(ZERO, self.cross_wallet_balance + min(ZERO, self.cross_unrealised_pnl) - self._claimed)


@dataclass(frozen=True, slots=True)
class ProposedOrder:
    """An order that is about to be taken. `price` is the one to assume, see `assumed_price`."""

    symbol: str
    position_side: PositionSide
    side: Side
    quantity: Decimal
    price: Decimal
    reduce_only: bool = False


def mark_of(held: HeldPosition, marks: Marks) -> Decimal:
    """Return a position's mark price; its entry price where no mark is known yet."""
    return marks.get(held.symbol) or held.entry_price


def exposure(side: PositionSide, signed_value: Decimal, totals: OrderTotals) -> Decimal:
    """Return the largest value that a position could reach by its open orders, in the settlement asset."""
    if side is PositionSide.LONG:
        return abs(signed_value) + totals.bid_value
    if side is PositionSide.SHORT:
        return abs(signed_value) + totals.ask_value
    return max(abs(signed_value + totals.bid_value), abs(signed_value - totals.ask_value))


def position_figures(state: AccountState, held: HeldPosition, mark_price: Decimal) -> PositionFigures:
    """Return one position's row; a flat one may still have open orders."""
    contract, settings = state.contract(held.symbol), state.settings_of(held.symbol)
    value = contract.value(held.quantity, mark_price) if held.quantity else ZERO
    signed = value.copy_sign(held.quantity) if value else ZERO
    totals = state.open_orders.totals(held.symbol, held.side)
    ordered = exposure(held.side, signed, totals) - value
    return PositionFigures(
        held=held, mark_price=mark_price, leverage=settings.leverage, isolated=settings.isolated, signed_value=signed,
        unrealised_pnl=held.unrealised_pnl(mark_price),
        position_initial_margin=MONEY.divide(value, Decimal(settings.leverage)),
        open_order_initial_margin=MONEY.divide(ordered, Decimal(settings.leverage)),
        maintenance_margin=contract.brackets.maintenance_margin(value),
        bid_value=totals.bid_value, ask_value=totals.ask_value)


def pool_figures(state: AccountState, pool: Pool, marks: Marks) -> PoolFigures:
    """Return a wallet's figures, with a row for every position and for every flat one that has open orders."""
    keys = {(held.symbol, held.side) for held in state.held(pool)}
    keys |= {key for key in state.open_orders.keys() if state.contract(key[0]).pool == pool}  # noqa: SIM118  # no dict
    rows = [state.position(*key) for key in sorted(keys, key=lambda key: (key[0], key[1].value))]
    figures = tuple(position_figures(state, held, mark_of(held, marks)) for held in rows)
    return PoolFigures(pool, state.wallet_balance(pool), state.cross_wallet_balance(pool), figures)


def liquidation_price_of(state: AccountState, figures: PoolFigures, row: PositionFigures) -> Decimal:
    """Return the price at which a position is liquidated, other contracts at their marks; 0 where none does it."""
    contract = state.contract(row.held.symbol)
    inverse = contract.instrument.inverse
    if row.isolated:
        legs, balance = [row], row.held.isolated_wallet
    else:
        legs = [r for r in figures.positions if r.held.symbol == row.held.symbol]
        others = [r for r in figures.positions if r.held.symbol != row.held.symbol and not r.isolated]
        balance = figures.cross_wallet_balance + sum((r.unrealised_pnl - r.maintenance_margin for r in others), ZERO)
    held = [Leg(leg.held.signed_size, leg.held.entry_price) for leg in legs]
    return liquidation_price(held, balance, contract.brackets, inverse=inverse) if row.held.quantity else ZERO


def assumed_price(side: Side, price: Decimal | None, best_ask: Decimal, last_price: Decimal,
                  mark_price: Decimal) -> Decimal:
    """Return the price at which the venue reckons an order's cost; `price` is None for a market order.

    A buy is reckoned at its price, or 0.05 % above the best ask; a sell at the highest of the last price plus 0.15 %,
    the mark price and its own. Source: Binance, cost required to open a position in perpetual futures.
    """
    if side is Side.BUY:
        return MONEY.multiply(best_ask, Decimal("1.0005")) if price is None else price
    return max(MONEY.multiply(last_price, Decimal("1.0015")), mark_price, price or ZERO)


def check_order(state: AccountState, order: ProposedOrder, marks: Marks) -> Refusal | None:
    """Return why the account may not take an order, None where it may.

    An order that can only reduce costs nothing. Source: Binance, error codes -2019 and -2027.
    """
    if order.reduce_only:
        return None
    contract, settings = state.contract(order.symbol), state.settings_of(order.symbol)
    held = state.position(order.symbol, order.position_side)
    mark_price = marks.get(order.symbol) or order.price
    row = position_figures(state, held, mark_price)
    totals = state.open_orders.totals(order.symbol, order.position_side)
    value = contract.value(order.quantity, order.price)
    before = exposure(held.side, row.signed_value, totals)
    after = exposure(held.side, row.signed_value, totals.plus(order.side, value, 1))
    if after <= before:
        return None
    if after > contract.brackets.max_value(settings.leverage):
        return refusals.POSITION_TOO_LARGE
    opening = MONEY.divide(after - before, value)
    loss = MONEY.multiply(open_loss(contract, order, mark_price), opening)
    cost = MONEY.divide(after - before, Decimal(settings.leverage)) + loss
    if cost > pool_figures(state, contract.pool, marks).available_balance:
        return refusals.MARGIN_INSUFFICIENT
    return None


def open_loss(contract: Contract, order: ProposedOrder, mark_price: Decimal) -> Decimal:
    """Return the loss at mark with which the order would start, in the settlement asset; 0 where none."""
    size = order.quantity * contract.instrument.contract_size
    if contract.instrument.inverse:
        gain = MONEY.divide(ONE, order.price) - MONEY.divide(ONE, mark_price)
    else:
        gain = mark_price - order.price
    return abs(min(ZERO, MONEY.multiply(size, gain * order.side.sign)))


def check_notional(contract: Contract, quantity: Decimal, price: Decimal, *, reduce_only: bool) -> Refusal | None:
    """Return -4164 where an order's value is below the least of its contract; reduce-only orders may be small."""
    least = contract.instrument.min_notional
    if reduce_only or contract.instrument.notional(quantity, price) >= least:
        return None
    return refusals.notional_too_small(least)
