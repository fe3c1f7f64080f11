"""Settings of accounts: leverage, margin type, position mode, margin of a position; and what accounts are asked for."""

from collections.abc import Sequence
from decimal import Decimal

from backtest.account import Income
from backtest.account.deleveraging import quantile, ranking
from backtest.account.settings import products
from backtest.exchange.core import payloads
from backtest.exchange.core.context import Context
from backtest.exchange.core.domain import Product
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.floor import Floor
from backtest.exchange.core.listings import PRODUCTS
from backtest.exchange.core.trader import MarginChange, raise_refusal
from sluice.decimals import ZERO
from sluice.orders import PositionSide


class AccountSettings:
    """What an account may change about itself. Raises `ExchangeError` where money or mode say no."""

    def __init__(self, context: Context, floor: Floor) -> None:
        self._context = context
        self._floor = floor

    def income(self, account: str, product: Product | None) -> Sequence[Income]:
        """Return income rows, oldest first."""
        rows = self._floor.trader(account).money.income
        return [row for row in rows if product in (None, PRODUCTS[row.pool[0]])]

    def set_leverage(self, account: str, symbol: str, leverage: int) -> int:
        """Change a symbol's leverage, tell the user stream, and return it."""
        trader, listing = self._floor.trader(account), self._context.market(symbol).listing
        raise_refusal(trader.money.set_leverage(symbol, leverage, self._context.marks))
        payload = payloads.config_update(self._context.now_ms, symbol=symbol, leverage=leverage)
        self._context.emit(account, listing.product, payload)
        return leverage

    def set_margin_type(self, account: str, symbol: str, *, isolated: bool) -> None:
        """Change a symbol between cross and isolated margin."""
        trader, listing = self._floor.trader(account), self._context.market(symbol).listing
        raise_refusal(trader.money.set_margin_type(symbol, isolated=isolated))
        side = PositionSide.LONG if trader.money.hedge_mode else PositionSide.BOTH
        row = trader.position_payload(symbol, side)
        trader.tell_account("MARGIN_TYPE_CHANGE", listing.product, [], [row])

    def set_position_mode(self, account: str, *, hedge: bool, product: Product | None) -> None:
        """Change between one-way and hedge mode, of both products; conditional orders count as orders.

        Where only the other product than the one that asks has positions or orders, the refusal is -4531.
        """
        trader = self._floor.trader(account)
        if trader.money.hedge_mode is not hedge:
            in_use = {PRODUCTS[venue] for venue in products(trader.money.state)}
            if product is not None and in_use and product not in in_use:
                raise refuse(-4531)
            if trader.open_algos:
                raise refuse(-4067)
        raise_refusal(trader.money.set_position_mode(hedge=hedge))

    def set_multi_assets(self, account: str, *, enabled: bool) -> None:
        """Refuse the multi-assets mode, which is not simulated; turning it off where it is off is -4171."""
        trader = self._floor.trader(account)
        if enabled is trader.multi_assets:
            raise refuse(-4171)
        raise refuse(-4167)

    def adjust_position_margin(self, account: str, symbol: str, side: PositionSide, amount: Decimal) -> None:
        """Add margin to an isolated position, or (negative) take some out, and tell the user stream."""
        trader, listing = self._floor.trader(account), self._context.market(symbol).listing
        raise_refusal(trader.money.adjust_position_margin(
            symbol, side, abs(amount), self._context.marks, add=amount > ZERO, time_ms=self._context.now_ms))
        pool = self._context.contracts[symbol].pool
        trader.margin_changes.append(MarginChange(symbol, pool[1], side, amount, self._context.now_ms))
        trader.tell_account(
            "MARGIN_TRANSFER", listing.product, [trader.balance(pool)], [trader.position_payload(symbol, side)])

    def adl_quantile(self, account: str, symbol: str, side: PositionSide) -> int:
        """Return the light of auto-deleveraging of a position."""
        states = {name: trader.money.state for name, trader in self._floor.traders.items()}
        long = self._floor.trader(account).money.position(symbol, side).quantity > ZERO
        return quantile(ranking(states, symbol, self._context.marks, long=long), account, side)
