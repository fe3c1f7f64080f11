"""Balances and positions as answers show them, in the forms of each version of the endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backtest.account.margin import PoolFigures, PositionFigures
from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.rest.shapes.numbers import average, money, plain, quantity
from sluice.decimals import ZERO


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position with what its row needs beside the figures.

    `max_value` is what the leverage allows; `adl_quantile` how soon its turn to be deleveraged comes, 0 to 4.
    """

    listing: Listing
    figures: PositionFigures
    liquidation_price: Decimal
    max_value: Decimal
    adl_quantile: int = 0


def _margins(figures: PoolFigures | PositionFigures) -> dict[str, str]:
    return {
        "initialMargin": money(figures.initial_margin), "maintMargin": money(figures.maintenance_margin),
        "positionInitialMargin": money(figures.position_initial_margin),
        "openOrderInitialMargin": money(figures.open_order_initial_margin),
    }


def asset(pool: PoolFigures, updated_ms: int) -> dict[str, Any]:
    """Return one asset of `GET account`."""
    return _margins(pool) | {
        "asset": pool.pool[1], "walletBalance": money(pool.wallet_balance),
        "unrealizedProfit": money(pool.unrealised_pnl), "marginBalance": money(pool.margin_balance),
        "maxWithdrawAmount": money(pool.max_withdraw), "crossWalletBalance": money(pool.cross_wallet_balance),
        "crossUnPnl": money(pool.cross_unrealised_pnl), "availableBalance": money(pool.available_balance),
        "updateTime": updated_ms,
    }


def totals(pools: Sequence[PoolFigures]) -> dict[str, str]:
    """Return the sums over all assets; in single-asset mode the assets of USD-M are worth one each."""
    def total(name: str) -> str:
        return money(sum((getattr(pool, name) for pool in pools), ZERO))

    return {
        "totalInitialMargin": total("initial_margin"), "totalMaintMargin": total("maintenance_margin"),
        "totalWalletBalance": total("wallet_balance"), "totalUnrealizedProfit": total("unrealised_pnl"),
        "totalMarginBalance": total("margin_balance"),
        "totalPositionInitialMargin": total("position_initial_margin"),
        "totalOpenOrderInitialMargin": total("open_order_initial_margin"),
        "totalCrossWalletBalance": total("cross_wallet_balance"), "totalCrossUnPnl": total("cross_unrealised_pnl"),
        "availableBalance": total("available_balance"), "maxWithdrawAmount": total("max_withdraw"),
    }


def balance(pool: PoolFigures, alias: str, product: Product, updated_ms: int) -> dict[str, Any]:
    """Return one asset of `GET balance`."""
    shape: dict[str, Any] = {
        "accountAlias": alias, "asset": pool.pool[1], "balance": money(pool.wallet_balance),
        "crossWalletBalance": money(pool.cross_wallet_balance), "crossUnPnl": money(pool.cross_unrealised_pnl),
        "availableBalance": money(pool.available_balance), "updateTime": updated_ms,
    }
    withdrawable = money(pool.max_withdraw)
    return shape | ({"withdrawAvailable": withdrawable} if product is Product.COINM else
                    {"maxWithdrawAmount": withdrawable, "marginAvailable": True})


def _position(row: PositionRow) -> dict[str, Any]:
    figures = row.figures
    return {
        "symbol": row.listing.symbol, "positionSide": figures.held.side.name,
        "positionAmt": quantity(row.listing, figures.held.quantity), "updateTime": figures.held.updated_ms,
    }


def account_position(row: PositionRow) -> dict[str, Any]:
    """Return a position of `GET /fapi/v3/account`."""
    figures = row.figures
    return _position(row) | {
        "unrealizedProfit": money(figures.unrealised_pnl), "isolatedMargin": money(figures.isolated_margin),
        "notional": plain_money(figures.signed_value), "isolatedWallet": plain_money(figures.held.isolated_wallet),
        "initialMargin": plain_money(figures.initial_margin), "maintMargin": plain_money(figures.maintenance_margin),
    }


def full_account_position(row: PositionRow) -> dict[str, Any]:
    """Return a position of `GET /fapi/v2/account` and `GET /dapi/v1/account`."""
    figures = row.figures
    shape = _position(row) | _margins(figures) | {
        "unrealizedProfit": money(figures.unrealised_pnl), "leverage": str(figures.leverage),
        "isolated": figures.isolated, "entryPrice": average(row.listing, figures.held.entry_price),
        "breakEvenPrice": average(row.listing, figures.held.break_even_price),
    }
    if row.listing.product is Product.COINM:
        return shape | {"maxQty": plain(row.max_value), "notionalValue": plain_money(figures.signed_value)}
    return shape | {"maxNotional": plain(row.max_value), "bidNotional": plain_money(figures.bid_value),
                    "askNotional": plain_money(figures.ask_value)}


def _risk(row: PositionRow) -> dict[str, Any]:
    figures = row.figures
    return _position(row) | {
        "entryPrice": average(row.listing, figures.held.entry_price),
        "breakEvenPrice": average(row.listing, figures.held.break_even_price),
        "markPrice": money(figures.mark_price), "unRealizedProfit": money(figures.unrealised_pnl),
        "liquidationPrice": plain_money(row.liquidation_price), "isolatedMargin": money(figures.isolated_margin),
    }


def risk(row: PositionRow) -> dict[str, Any]:
    """Return a position of `GET /fapi/v3/positionRisk`."""
    figures = row.figures
    return _risk(row) | {name: plain_money(Decimal(value)) for name, value in _margins(figures).items()} | {
        "notional": plain_money(figures.signed_value), "marginAsset": row.listing.instrument.settlement_asset,
        "isolatedWallet": plain_money(figures.held.isolated_wallet), "adl": row.adl_quantile,
        "bidNotional": plain_money(figures.bid_value), "askNotional": plain_money(figures.ask_value),
    }


def full_risk(row: PositionRow) -> dict[str, Any]:
    """Return a position of `GET /fapi/v2/positionRisk` and `GET /dapi/v1/positionRisk`."""
    figures = row.figures
    shape = _risk(row) | {
        "leverage": str(figures.leverage), "marginType": "isolated" if figures.isolated else "cross",
        "isAutoAddMargin": "false", "isolatedWallet": plain_money(figures.held.isolated_wallet),
    }
    if row.listing.product is Product.COINM:
        return shape | {"maxQty": plain(row.max_value), "notionalValue": plain_money(figures.signed_value)}
    return shape | {"maxNotionalValue": plain(row.max_value), "notional": plain_money(figures.signed_value)}


def plain_money(value: Decimal) -> str:
    """Return an amount with as many decimals as it needs, eight at most."""
    return plain(Decimal(money(value)))
