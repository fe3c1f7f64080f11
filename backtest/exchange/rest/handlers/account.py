"""What an account holds and may do: balances, positions, rates, brackets, income."""

from typing import Any, Final

from backtest.account.income import Income
from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.listings import VENUES
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.handlers.history import SPAN, checked_span
from backtest.exchange.rest.handlers.reading import Reading, reading
from backtest.exchange.rest.handlers.tickets import SYMBOL
from backtest.exchange.rest.parameters import Kind, Parameter
from backtest.exchange.rest.routes import Call, Route, only
from backtest.exchange.rest.shapes import account as shapes
from backtest.exchange.rest.shapes import information
from backtest.exchange.rest.shapes.numbers import money, plain
from sluice.orders import PositionSide

_RIGHTS: Final = {"canTrade": True, "canDeposit": True, "canWithdraw": True}


def account(call: Call) -> Any:
    """Return balances and the positions that are held or have orders."""
    found = reading(call)
    pools = found.pools
    return shapes.totals(pools) | {
        "assets": [shapes.asset(pool, found.updated_ms) for pool in pools],
        "positions": [shapes.account_position(row) for row in found.busy_rows()]}


def full_account(call: Call) -> Any:
    """Return balances, rights and every position."""
    found = reading(call)
    pools = found.pools
    shape: dict[str, Any] = _RIGHTS | {
        "feeTier": found.account.fee_tier(call.now_ms), "updateTime": found.updated_ms,
        "assets": [shapes.asset(pool, found.updated_ms) | ({} if call.coin else {"marginAvailable": True})
                   for pool in pools],
        "positions": [shapes.full_account_position(row) for row in found.all_rows(call.listings())]}
    if call.coin:
        return shape
    return shape | shapes.totals(pools) | {
        "feeBurn": False, "tradeGroupId": -1, "multiAssetsMargin": call.exchange.multi_assets(call.account)}


def balance(call: Call) -> Any:
    """Return the balance of every asset."""
    found = reading(call)
    return [shapes.balance(pool, call.account[:16], call.product, found.updated_ms) for pool in found.pools]


def positions(call: Call) -> Any:
    """Return the positions that are held or have orders."""
    symbol = call.listing().symbol if call.arguments.text("symbol") else None
    return [shapes.risk(row) for row in reading(call).busy_rows(symbol)]


def full_positions(call: Call) -> Any:
    """Return every position, flat ones included."""
    return [shapes.full_risk(row) for row in reading(call).all_rows(_asked(call))]


def _asked(call: Call) -> list[Listing]:
    asset = call.arguments.text("marginAsset")
    return [one for one in call.listings() if asset in (None, one.instrument.settlement_asset)]


def configuration(call: Call) -> Any:
    """Return the account's settings."""
    found = reading(call)
    return _RIGHTS | {
        "feeTier": found.account.fee_tier(call.now_ms), "dualSidePosition": call.exchange.hedge_mode(call.account),
        "updateTime": found.updated_ms, "multiAssetsMargin": call.exchange.multi_assets(call.account),
        "tradeGroupId": -1}


def symbol_configuration(call: Call) -> Any:
    """Return the settings of a symbol or of all."""
    found = reading(call)
    return [_symbol_configuration(found, listing) for listing in call.listings()]


def _symbol_configuration(found: Reading, listing: Listing) -> dict[str, Any]:
    settings = found.account.settings_of(listing.symbol)
    largest = found.account.state.contract(listing.symbol).brackets.max_value(settings.leverage)
    return {
        "symbol": listing.symbol, "marginType": "ISOLATED" if settings.isolated else "CROSSED",
        "isAutoAddMargin": False, "leverage": settings.leverage, "maxNotionalValue": plain(largest)}


def brackets(call: Call) -> Any:
    """Return the leverage brackets of a symbol or of all."""
    return _brackets(call, by_pair=False)


def pair_brackets(call: Call) -> Any:
    """Return the leverage brackets of a pair or of all."""
    return _brackets(call, by_pair=True)


def _brackets(call: Call, *, by_pair: bool) -> list[dict[str, Any]]:
    contracts = reading(call).account.state
    return [information.brackets(listing, contracts.contract(listing.symbol).brackets.brackets, by_pair=by_pair)
            for listing in call.listings()]


def commission(call: Call) -> Any:
    """Return the fee rates of a symbol."""
    listing = call.listing()
    rates = reading(call).account.fee_rates(VENUES[call.product], call.now_ms)
    shape = {"symbol": listing.symbol, "makerCommissionRate": plain(rates.maker),
             "takerCommissionRate": plain(rates.taker)}
    return shape if call.coin else shape | {"rpiCommissionRate": "0"}


def income(call: Call) -> Any:
    """Return what changed the wallets; the latest rows, or those from a start time on."""
    start, end = checked_span(call.arguments)
    kind, symbol = call.arguments.text("incomeType"), call.arguments.text("symbol")
    rows = [row for row in reading(call).account.income
            if row.pool[0] is VENUES[call.product] and (kind is None or row.kind.value == kind)
            and (symbol is None or row.symbol == symbol)
            and (start is None or row.time_ms >= start) and (end is None or row.time_ms <= end)]
    limit = call.arguments.at_most("limit", 100, 1000)
    first = ((call.arguments.integer("page") or 1) - 1) * limit
    cut = rows[first : first + limit] if start is not None or first else rows[-limit:]
    return [_income(row, call.product) for row in cut]


def _income(row: Income, product: Product) -> dict[str, Any]:
    number = row.transaction_id
    return {
        "symbol": row.symbol, "incomeType": row.kind.value, "income": money(row.amount), "asset": row.asset,
        "info": row.trade_id or row.kind.value, "time": row.time_ms,
        "tranId": str(number) if product is Product.COINM else number, "tradeId": row.trade_id}


def order_limits(call: Call) -> Any:
    """Return the account's order limits."""
    return [row for row in information.rate_limits(call.limiter.limits) if row["rateLimitType"] == "ORDERS"]


def deleveraging_rank(call: Call) -> Any:
    """Return where positions stand in the queue for deleveraging, from 0 (last) to 4."""
    sides = (PositionSide.LONG, PositionSide.SHORT)
    last = "HEDGE" if call.exchange.hedge_mode(call.account) else "BOTH"
    rows = reading(call).busy_rows(call.arguments.text("symbol"))
    found = []
    for symbol in sorted({row.listing.symbol for row in rows}):
        ranks = {side.name: call.exchange.adl_quantile(call.account, symbol, side) for side in sides}
        both = call.exchange.adl_quantile(call.account, symbol, PositionSide.BOTH)
        found.append({"symbol": symbol, "adlQuantile": ranks | {last: both}})
    return found


def trading_status(call: Call) -> Any:
    """Return that nothing restricts the account."""
    return {"indicators": {}, "updateTime": call.now_ms}


_ANY: Final = (Parameter("symbol", Kind.SYMBOL),)
_PAIRS: Final = (Parameter("pair", Kind.SYMBOL), Parameter("marginAsset", Kind.SYMBOL))
_USDM: Final = Product.USDM
_COINM: Final = Product.COINM

ROUTES: Final = (
    Route("GET", "account", account, "Return balances and positions", Security.SIGNED_READ, weight=5,
          versions=only(_USDM, 3)),
    Route("GET", "account", full_account, "Return balances, rights and all positions", Security.SIGNED_READ,
          weight=5, versions={_USDM: (2,), _COINM: (1,)}),
    Route("GET", "balance", balance, "Return balances", Security.SIGNED_READ,
          weight=lambda product, _sent: 1 if product is _COINM else 5, versions={_USDM: (2, 3), _COINM: (1,)}),
    Route("GET", "positionRisk", positions, "Return positions", Security.SIGNED_READ, _ANY, weight=5,
          versions=only(_USDM, 3)),
    Route("GET", "positionRisk", full_positions, "Return all positions", Security.SIGNED_READ, (*_ANY, *_PAIRS),
          weight=lambda product, _sent: 1 if product is _COINM else 5, versions={_USDM: (2,), _COINM: (1,)}),
    Route("GET", "accountConfig", configuration, "Return the account's settings", Security.SIGNED_READ, weight=5,
          versions=only(_USDM)),
    Route("GET", "symbolConfig", symbol_configuration, "Return the settings of symbols", Security.SIGNED_READ, _ANY,
          weight=5, versions=only(_USDM)),
    Route("GET", "leverageBracket", brackets, "Return leverage brackets", Security.SIGNED_READ, _ANY,
          weight=lambda product, sent: 2 if product is _COINM and not sent.get("symbol") else 1,
          versions={_USDM: (1,), _COINM: (2,)}),
    Route("GET", "leverageBracket", pair_brackets, "Return leverage brackets by pair", Security.SIGNED_READ, _PAIRS,
          versions=only(_COINM)),
    Route("GET", "commissionRate", commission, "Return fee rates", Security.SIGNED_READ, (SYMBOL,), weight=20),
    Route("GET", "income", income, "Return what changed the wallets", Security.SIGNED_READ,
          (*_ANY, Parameter("incomeType"), Parameter("page", Kind.INTEGER), *SPAN),
          weight=lambda product, _sent: 20 if product is _COINM else 30),
    Route("GET", "rateLimit/order", order_limits, "Return the order limits", Security.SIGNED_READ,
          versions=only(_USDM)),
    Route("GET", "adlQuantile", deleveraging_rank, "Return the ranks for deleveraging", Security.SIGNED_READ, _ANY,
          weight=5),
    Route("GET", "apiTradingStatus", trading_status, "Return what restricts the account", Security.SIGNED_READ, _ANY,
          versions=only(_USDM)),
)
