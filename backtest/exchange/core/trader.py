"""One account at the exchange: its money, its desks (one a symbol), and what it was set to."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from backtest.account import Account, Contract, FeeRates, PoolFigures, PositionFigures, Refusal
from backtest.account.margin import Marks
from backtest.exchange.core.context import Context
from backtest.exchange.core.domain import Product
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.listings import PRODUCTS, VENUES
from backtest.exchange.core.payloads import Balance, Payload, account_update, position_row
from backtest.exchange.core.staging import Stages
from backtest.exchange.core.symbol_matching import FillModel
from sluice.decimals import ZERO
from sluice.instruments import Venue
from sluice.orders import PositionSide

_MARGIN_CHANGES_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class TraderSettings:
    """What holds for every account of an exchange. `fees` replace the tiers where given."""

    matching: FillModel = field(default_factory=FillModel)
    fees: dict[Venue, FeeRates] | None = None


@dataclass(frozen=True, slots=True)
class MarginChange:
    """Margin that an account added to an isolated position, or (negative) took out."""

    symbol: str
    asset: str
    side: PositionSide
    amount: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account's money in one product at present marks: what account, balance and positionRisk answer.

    `pools` has one entry an asset, each with the rows of its positions and open orders. `account` is for reading only.
    """

    name: str
    product: Product
    hedge_mode: bool
    pools: tuple[PoolFigures, ...]
    account: Account
    marks: Marks
    can_trade: bool = True

    def row(self, symbol: str, side: PositionSide) -> PositionFigures:
        """Return the row of a position, flat or not."""
        held = self.account.position(symbol, side)
        return self.account.figures_of(symbol, side, self.marks.get(symbol) or held.entry_price)

    def pool_of(self, contract: Contract) -> PoolFigures:
        """Return the wallet that pays for a contract."""
        found = (figures for figures in self.pools if figures.pool == contract.pool)
        return next(found, None) or self.account.figures(contract.pool, self.marks)

    def liquidation_price(self, symbol: str, side: PositionSide) -> Decimal:
        """Return a position's liquidation price, 0 where it has none."""
        row = self.row(symbol, side)
        return self.account.liquidation_price(self.pool_of(self.account.state.contract(symbol)), row)


class Trader:
    """One account: money and what belongs to it. Orders are the desks' matter."""

    def __init__(self, name: str, context: Context, settings: TraderSettings) -> None:
        self.name = name
        self.context = context
        self.settings = settings
        self.money = Account(context.contracts, fees=settings.fees)
        self.multi_assets = False
        self.liquidating = False
        self.open_algos = 0
        self.warned: set[object] = set()
        self.stages: list[Stages] = []
        self.margin_changes: deque[MarginChange] = deque(maxlen=_MARGIN_CHANGES_KEPT)

    def deposit(self, product: Product, asset: str, amount: Decimal) -> None:
        """Put money into a wallet. Raises `ExchangeError` where more is taken than is free."""
        pool = (VENUES[product], asset)
        raise_refusal(self.money.transfer(pool, amount, self.context.marks, self.context.now_ms))
        reason = "DEPOSIT" if amount > ZERO else "WITHDRAW"
        self.tell_account(reason, product, [self.balance(pool, amount)], [])

    def view(self, product: Product) -> AccountView:
        """Return the money of one product as it is now."""
        marks = self.context.marks
        pools = tuple(self.money.figures(pool, marks) for pool in self.money.pools if PRODUCTS[pool[0]] is product)
        return AccountView(self.name, product, self.money.hedge_mode, pools, self.money, marks)

    def balance(self, pool: tuple[Venue, str], change: Decimal = ZERO) -> Balance:
        """Return a wallet as ACCOUNT_UPDATE tells it."""
        return Balance(pool[1], self.money.wallet_balance(pool), self.money.cross_wallet_balance(pool), change)

    def position_payload(self, symbol: str, side: PositionSide) -> Payload:
        """Return a position as ACCOUNT_UPDATE tells it."""
        held = self.money.position(symbol, side)
        mark = self.context.marks.get(symbol) or held.entry_price
        return position_row(held, mark, isolated=self.money.settings_of(symbol).isolated)

    def tell_account(
        self, reason: str, product: Product, balances: Iterable[Balance], positions: Iterable[Payload],
        symbol: str = "",
    ) -> None:
        """Send ACCOUNT_UPDATE."""
        alias = self.name if product is Product.COINM else ""
        payload = account_update(reason, list(balances), list(positions), self.context.now_ms, symbol, alias)
        self.context.emit(self.name, product, payload)


def raise_refusal(refusal: Refusal | None) -> None:
    """Raise the money's refusal as the exchange's answer, if there is one."""
    if refusal is not None:
        raise ExchangeError(refusal.code, refusal.message)
