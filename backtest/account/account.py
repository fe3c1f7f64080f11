"""One account at the venue: its wallets, positions, margins and settings, under one roof.

Pure: no clock, no network, no randomness. Time comes with each call in milliseconds, mark prices come as a mapping of
symbol to price. What a client may be refused is answered by a `Refusal`; what must not happen raises `InvariantError`.
Every asset of a product (USD-M, COIN-M) is a margin pool of its own (single-asset mode).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from backtest.account import booking, liquidation, margin, settings
from backtest.account.booking import Fill, FillEffect, FundingEffect
from backtest.account.contract import Contract, Pool
from backtest.account.fees import FeeRates
from backtest.account.held import HeldPosition
from backtest.account.income import Income, IncomeKind
from backtest.account.liquidation import Breach, LiquidationPlan, Settlement
from backtest.account.margin import Marks, PoolFigures, PositionFigures, ProposedOrder
from backtest.account.open_orders import OpenOrder
from backtest.account.refusals import Refusal
from backtest.account.state import INCOME_KEPT, AccountSnapshot, AccountState, SymbolSettings
from sluice.decimals import ONE
from sluice.instruments import Venue
from sluice.orders import PositionSide


class Account:
    """The facade. `contracts` maps symbols to terms and may be shared; `fees` are own rates in place of the tiers."""

    def __init__(self, contracts: Mapping[str, Contract], *, fees: Mapping[Venue, FeeRates] | None = None,
                 first_transaction_id: int = 1, income_kept: int = INCOME_KEPT) -> None:
        self.state = AccountState(contracts, fees=fees, first_transaction_id=first_transaction_id,
                                  income_kept=income_kept)

    # What it holds

    @property
    def hedge_mode(self) -> bool:
        """Tell whether long and short positions of a symbol are apart."""
        return self.state.hedge_mode

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Return the wallets that were ever used, by product and asset."""
        return tuple(sorted(self.state.wallets, key=lambda pool: (pool[0].value, pool[1])))

    @property
    def income(self) -> tuple[Income, ...]:
        """Return the income rows that are kept, oldest first."""
        return tuple(self.state.income)

    @property
    def updated_ms(self) -> int:
        """Return when a wallet last changed, 0 before the first change."""
        return self.state.income.updated_ms

    def wallet_balance(self, pool: Pool) -> Decimal:
        """Return a wallet's balance, isolated margin included, without unrealised profit."""
        return self.state.wallet_balance(pool)

    def cross_wallet_balance(self, pool: Pool) -> Decimal:
        """Return a wallet's balance without what is set aside for isolated positions."""
        return self.state.cross_wallet_balance(pool)

    def position(self, symbol: str, side: PositionSide) -> HeldPosition:
        """Return a position, flat where there was none."""
        return self.state.position(symbol, side)

    def holds(self, symbol: str) -> bool:
        """Tell whether there is a position in a symbol; asked at every mark price."""
        return self.state.holds(symbol)

    def held(self, pool: Pool | None = None) -> list[HeldPosition]:
        """Return the positions that are not flat."""
        return self.state.held(pool)

    def settings_of(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin type of a symbol."""
        return self.state.settings_of(symbol)

    def fee_rates(self, venue: Venue, time_ms: int) -> FeeRates:
        """Return the rates that a fill at a time pays."""
        return self.state.fees.rates(venue, time_ms)

    def fee_tier(self, time_ms: int) -> int:
        """Return the number of the tier that the account's volume of 30 days gives it."""
        return self.state.fees.tier(time_ms).number

    # What it may do

    def put_order(self, order: OpenOrder) -> None:
        """Count an open order, or count it anew with what is left of it."""
        self.state.open_orders.put(order, self.state.contract(order.symbol))

    def drop_order(self, symbol: str, order_id: int) -> None:
        """Count an order no more: it is filled, cancelled or expired."""
        self.state.open_orders.discard(symbol, order_id)

    def check_order(self, order: ProposedOrder, marks: Marks) -> Refusal | None:
        """Return why an order is refused for money's sake, None where it is not; see `margin.check_order`."""
        return margin.check_order(self.state, order, marks)

    def figures(self, pool: Pool, marks: Marks) -> PoolFigures:
        """Return a wallet's margins with a row for each position."""
        return margin.pool_figures(self.state, pool, marks)

    def figures_of(self, symbol: str, side: PositionSide, mark_price: Decimal) -> PositionFigures:
        """Return the row of one position, flat or not."""
        return margin.position_figures(self.state, self.state.position(symbol, side), mark_price)

    def liquidation_price(self, figures: PoolFigures, row: PositionFigures) -> Decimal:
        """Return the price at which a position is liquidated, 0 where none does it."""
        return margin.liquidation_price_of(self.state, figures, row)

    # What changes it

    def apply_fill(self, fill: Fill) -> FillEffect:
        """Book a fill; see `booking.apply_fill`."""
        return booking.apply_fill(self.state, fill)

    def apply_funding(self, symbol: str, rate: Decimal, mark_price: Decimal,
                      time_ms: int) -> tuple[FundingEffect, ...]:
        """Book the funding payments of a symbol's positions; see `booking.apply_funding`."""
        return booking.apply_funding(self.state, symbol, rate, mark_price, time_ms)

    def transfer(self, pool: Pool, amount: Decimal, marks: Marks, time_ms: int) -> Refusal | None:
        """Deposit (positive) or withdraw (negative)."""
        return settings.transfer(self.state, pool, amount, marks, time_ms)

    def insure(self, pool: Pool, amount: Decimal, time_ms: int, symbol: str = "") -> Income:
        """Book what the insurance fund gives (positive) or what is paid to it; the fund itself books the opposite."""
        return self.state.book(IncomeKind.INSURANCE_CLEAR, pool, amount, time_ms, symbol)

    def set_leverage(self, symbol: str, leverage: int, marks: Marks) -> Refusal | None:
        """Change a symbol's leverage."""
        return settings.set_leverage(self.state, symbol, leverage, marks)

    def set_margin_type(self, symbol: str, *, isolated: bool) -> Refusal | None:
        """Change a symbol between cross and isolated margin."""
        return settings.set_margin_type(self.state, symbol, isolated=isolated)

    def set_position_mode(self, *, hedge: bool) -> Refusal | None:
        """Change between one-way and hedge mode."""
        return settings.set_position_mode(self.state, hedge=hedge)

    def adjust_position_margin(self, symbol: str, side: PositionSide, amount: Decimal, marks: Marks, *, add: bool,
                               time_ms: int) -> Refusal | None:
        """Move margin between the cross wallet and an isolated position."""
        return settings.adjust_position_margin(self.state, symbol, side, amount, marks, add=add, time_ms=time_ms)

    # Liquidation

    def breaches(self, pool: Pool, marks: Marks, share: Decimal = ONE) -> tuple[Breach, ...]:
        """Return what of a wallet is to be liquidated at these marks; with a share below 1, what is near it."""
        return liquidation.breaches(self.state, pool, marks, share)

    def plan_liquidation(self, breach: Breach, marks: Marks) -> LiquidationPlan:
        """Return what the exchange must cancel and close."""
        return liquidation.plan(self.state, breach, marks)

    def settle_liquidation(self, plan: LiquidationPlan, effects: Sequence[FillEffect], time_ms: int) -> Settlement:
        """Book the fee of a liquidation, or what the fund makes up for."""
        return liquidation.settle(self.state, plan, effects, time_ms)

    # To keep and to restore

    def snapshot(self) -> AccountSnapshot:
        """Return everything as values."""
        return self.state.snapshot()

    def restore(self, snapshot: AccountSnapshot) -> None:
        """Take a snapshot's state in place of the present one."""
        self.state.restore(snapshot)
