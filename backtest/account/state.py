"""The state of one account and its snapshot: wallets, positions, settings, open orders and income. No rules here.

The rules are functions over this state in the neighbouring files; `Account` puts them under one roof.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from backtest.account.contract import Contract, Pool
from backtest.account.fees import FeeMeter, FeeRates
from backtest.account.held import HeldPosition
from backtest.account.income import Income, IncomeKind, IncomeRows
from backtest.account.open_orders import OpenOrder, OpenOrders
from sluice.decimals import ZERO
from sluice.errors import NotFoundError
from sluice.instruments import Venue
from sluice.orders import PositionSide

#: The leverage of a symbol for which none was set, unless its brackets allow less. Source: Binance futures.
DEFAULT_LEVERAGE: Final = 20
#: Income rows kept by an account; Binance keeps three months.
INCOME_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class SymbolSettings:
    """An account's settings of one symbol: both sides of hedge mode share them."""

    leverage: int
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """Everything that an account knows, as values. Equal snapshots mean accounts that behave alike."""

    hedge_mode: bool
    wallets: tuple[tuple[Pool, Decimal], ...]
    positions: tuple[HeldPosition, ...]
    settings: tuple[tuple[str, SymbolSettings], ...]
    open_orders: tuple[OpenOrder, ...]
    income: tuple[Income, ...]
    next_transaction_id: int
    custom_fees: tuple[tuple[Venue, FeeRates], ...]
    volumes_usd: tuple[tuple[int, Decimal], ...]


class AccountState:
    """The mutable state; every value in it is immutable. Raises `NotFoundError` for a symbol without a contract."""

    def __init__(self, contracts: Mapping[str, Contract], *, fees: Mapping[Venue, FeeRates] | None = None,
                 first_transaction_id: int = 1, income_kept: int = INCOME_KEPT) -> None:
        self.contracts = contracts
        self.hedge_mode = False
        self.wallets: dict[Pool, Decimal] = {}
        self.positions: dict[tuple[str, PositionSide], HeldPosition] = {}
        self.settings: dict[str, SymbolSettings] = {}
        self.open_orders = OpenOrders()
        self.income = IncomeRows(first_transaction_id, income_kept)
        self.fees = FeeMeter(fees)

    def contract(self, symbol: str) -> Contract:
        """Return the terms of a symbol."""
        if (found := self.contracts.get(symbol)) is None:
            raise NotFoundError(f"symbol must be a contract of the exchange, was {symbol!r}")
        return found

    def settings_of(self, symbol: str) -> SymbolSettings:
        """Return the settings of a symbol; the venue's defaults (20 times, cross) before any was set."""
        if (found := self.settings.get(symbol)) is not None:
            return found
        return SymbolSettings(min(DEFAULT_LEVERAGE, self.contract(symbol).brackets.max_leverage))

    def position(self, symbol: str, side: PositionSide) -> HeldPosition:
        """Return a position, flat where there was none."""
        return self.positions.get((symbol, side)) or HeldPosition.flat(self.contract(symbol).instrument, side)

    def holds(self, symbol: str) -> bool:
        """Tell whether a position in a symbol is not flat."""
        found = (self.positions.get((symbol, side)) for side in PositionSide)
        return any(held is not None and held.quantity for held in found)

    def held(self, pool: Pool | None = None) -> list[HeldPosition]:
        """Return the positions that are not flat, of one pool or all, by symbol and side."""
        found = [h for h in self.positions.values() if h.quantity and pool in (None, self.contract(h.symbol).pool)]
        return sorted(found, key=lambda h: (h.symbol, h.side.value))

    def wallet_balance(self, pool: Pool) -> Decimal:
        """Return a wallet's balance, isolated margin included, without unrealised profit."""
        return self.wallets.get(pool, ZERO)

    def cross_wallet_balance(self, pool: Pool) -> Decimal:
        """Return a wallet's balance without what is set aside for isolated positions."""
        return self.wallet_balance(pool) - sum((held.isolated_wallet for held in self.held(pool)), ZERO)

    def book(self, kind: IncomeKind, pool: Pool, amount: Decimal, time_ms: int, symbol: str = "",
             trade_id: str = "") -> Income:
        """Change a wallet and write the row of it."""
        self.wallets[pool] = self.wallet_balance(pool) + amount
        return self.income.add(kind, pool, amount, time_ms, symbol, trade_id)

    def keep(self, held: HeldPosition) -> None:
        """Store a position."""
        self.positions[held.symbol, held.side] = held

    def set_settings(self, symbol: str, *, leverage: int | None = None, isolated: bool | None = None) -> None:
        """Store a symbol's settings; None leaves one as it is."""
        now = self.settings_of(symbol)
        self.settings[symbol] = replace(now, leverage=now.leverage if leverage is None else leverage,
                                        isolated=now.isolated if isolated is None else isolated)

    def snapshot(self) -> AccountSnapshot:
        """Return the whole state as values."""
        return AccountSnapshot(
            hedge_mode=self.hedge_mode,
            wallets=tuple(sorted(self.wallets.items(), key=lambda item: (item[0][0].value, item[0][1]))),
            positions=tuple(sorted(self.positions.values(), key=lambda h: (h.symbol, h.side.value))),
            settings=tuple(sorted(self.settings.items())),
            open_orders=tuple(sorted(self.open_orders, key=lambda order: (order.symbol, order.order_id))),
            income=tuple(self.income),
            next_transaction_id=self.income.next_id,
            custom_fees=self.fees.custom,
            volumes_usd=self.fees.volumes_usd,
        )

    def restore(self, snapshot: AccountSnapshot) -> None:
        """Take a snapshot's state in place of the present one."""
        self.hedge_mode = snapshot.hedge_mode
        self.wallets = dict(snapshot.wallets)
        self.positions = {(held.symbol, held.side): held for held in snapshot.positions}
        self.settings = dict(snapshot.settings)
        self.open_orders = OpenOrders()
        for order in snapshot.open_orders:
            self.open_orders.put(order, self.contract(order.symbol))
        self.income.restore(snapshot.income, snapshot.next_transaction_id)
        self.fees = FeeMeter(dict(snapshot.custom_fees), snapshot.volumes_usd)
