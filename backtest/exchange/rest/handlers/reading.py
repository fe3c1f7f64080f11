"""An account as queries read it: figures at the present marks, and rows for positions, flat ones too on request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from backtest.account.account import Account
from backtest.account.margin import PoolFigures, PositionFigures
from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.listings import VENUES
from backtest.exchange.rest.routes import Call
from backtest.exchange.rest.shapes.account import PositionRow
from sluice.orders import PositionSide

_HEDGED = (PositionSide.LONG, PositionSide.SHORT)


@dataclass(frozen=True, slots=True)
class Reading:
    """An account's side of one product at the present marks."""

    account: Account
    marks: Mapping[str, Decimal]
    listings: Mapping[str, Listing]
    product: Product
    adl_quantile: Callable[[str, PositionSide], int]

    @property
    def pools(self) -> list[PoolFigures]:
        """Return the figures of the product's wallets, those without a balance included where a contract needs one."""
        assets = {one.instrument.settlement_asset for one in self.listings.values() if one.product is self.product}
        venue = VENUES[self.product]
        assets |= {asset for pool_venue, asset in self.account.pools if pool_venue is venue}
        return [self.account.figures((venue, asset), self.marks) for asset in sorted(assets)]

    def busy_rows(self, symbol: str | None = None) -> list[PositionRow]:
        """Return the positions that are not flat or have open orders, of a symbol or all."""
        return [self._row(pool, figures) for pool in self.pools for figures in pool.positions
                if symbol in (None, figures.held.symbol)]

    def all_rows(self, listings: list[Listing]) -> list[PositionRow]:
        """Return a row for every position that there could be: BOTH, or LONG and SHORT in hedge mode."""
        sides = _HEDGED if self.account.hedge_mode else (PositionSide.BOTH,)
        pools = {pool.pool: pool for pool in self.pools}
        rows: list[PositionRow] = []
        for listing in listings:
            pool = pools[VENUES[self.product], listing.instrument.settlement_asset]
            rows += [self._row(pool, self._figures(listing.symbol, side)) for side in sides]
        return rows

    def _figures(self, symbol: str, side: PositionSide) -> PositionFigures:
        held = self.account.position(symbol, side)
        return self.account.figures_of(symbol, side, self.marks.get(symbol) or held.entry_price)

    def _row(self, pool: PoolFigures, figures: PositionFigures) -> PositionRow:
        symbol = figures.held.symbol
        largest = self.account.state.contract(symbol).brackets.max_value(figures.leverage)
        light = self.adl_quantile(symbol, figures.held.side) if figures.held.quantity else 0
        return PositionRow(
            self.listings[symbol], figures, self.account.liquidation_price(pool, figures), largest, light)

    @property
    def updated_ms(self) -> int:
        """Return when the account last changed, 0 before the first change."""
        return self.account.updated_ms


def reading(call: Call) -> Reading:
    """Return the caller's account."""
    view = call.exchange.account_state(call.account, call.product)
    return Reading(view.account, view.marks, call.exchange.listings, call.product,
                   lambda symbol, side: call.exchange.adl_quantile(call.account, symbol, side))
