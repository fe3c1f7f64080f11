"""Settings of an account: leverage, margin type, position mode, asset mode, isolated margin."""

from typing import Any, Final

from backtest.exchange.core.domain import Product
from backtest.exchange.core.trader import MarginChange
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.handlers.history import SPAN, checked_span
from backtest.exchange.rest.handlers.reading import reading
from backtest.exchange.rest.handlers.tickets import SYMBOL
from backtest.exchange.rest.parameters import Kind, Parameter
from backtest.exchange.rest.refusals import refusal
from backtest.exchange.rest.routes import Call, Route, only
from backtest.exchange.rest.shapes.numbers import plain
from sluice.decimals import ZERO
from sluice.orders import PositionSide

_DONE: Final = {"code": 200, "msg": "success"}


def set_leverage(call: Call) -> Any:
    """Set the leverage of a symbol."""
    listing, wanted = call.listing(), call.arguments.integer("leverage") or 0
    leverage = call.exchange.set_leverage(call.account, listing.symbol, wanted)
    largest = reading(call).account.state.contract(listing.symbol).brackets.max_value(leverage)
    return {"leverage": leverage, "maxQty" if call.coin else "maxNotionalValue": plain(largest),
            "symbol": listing.symbol}


def set_margin_type(call: Call) -> Any:
    """Set a symbol to isolated or cross margin."""
    isolated = call.arguments.needed("marginType") == "ISOLATED"
    call.exchange.set_margin_type(call.account, call.listing().symbol, isolated=isolated)
    return _DONE


def position_mode(call: Call) -> Any:
    """Tell whether long and short positions are apart; both products share it."""
    return {"dualSidePosition": call.exchange.hedge_mode(call.account)}


def set_position_mode(call: Call) -> Any:
    """Set whether long and short positions are apart, for both products."""
    call.exchange.set_position_mode(call.account, hedge=bool(call.arguments.flag("dualSidePosition")))
    return _DONE


def asset_mode(call: Call) -> Any:
    """Tell whether all assets back all positions."""
    return {"multiAssetsMargin": call.exchange.multi_assets(call.account)}


def set_asset_mode(call: Call) -> Any:
    """Set whether all assets back all positions."""
    call.exchange.set_multi_assets(call.account, enabled=bool(call.arguments.flag("multiAssetsMargin")))
    return _DONE


def fee_burn(_call: Call) -> Any:
    """Tell that fees are not paid in BNB."""
    return {"feeBurn": False}


def set_fee_burn(call: Call) -> Any:
    """Take note that fees are not to be paid in BNB; paying in BNB is not simulated."""
    if call.arguments.flag("feeBurn"):
        raise refusal(-4084)
    return _DONE


def adjust_margin(call: Call) -> Any:
    """Add margin to an isolated position (1), or take it out (2)."""
    arguments, listing = call.arguments, call.listing()
    amount, kind = arguments.decimal("amount"), arguments.needed("type")
    assert amount is not None
    side = PositionSide[arguments.text("positionSide") or "BOTH"]
    call.exchange.adjust_position_margin(
        call.account, listing.symbol, side, amount if kind == "1" else -amount)
    return {"amount": float(amount), "code": 200, "msg": "Successfully modify position margin.", "type": int(kind)}


def margin_history(call: Call) -> Any:
    """Return changes of isolated margin that the account asked for, newest first."""
    arguments, (start, end) = call.arguments, checked_span(call.arguments)
    kind = arguments.text("type")
    found = call.exchange.margin_changes(
        call.account, call.listing().symbol, start, end, arguments.at_most("limit", 500, 1000))
    rows = [_margin_change(change, coin=call.coin) for change in found]
    return [row for row in rows if kind in (None, str(row["type"]))]


def _margin_change(change: MarginChange, *, coin: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "symbol": change.symbol, "type": 1 if change.amount > ZERO else 2, "amount": plain(abs(change.amount)),
        "asset": change.asset, "time": change.time_ms, "positionSide": change.side.name}
    return shape if coin else shape | {"deltaType": "USER_ADJUST"}


_DUAL: Final = Parameter("dualSidePosition", Kind.BOOLEAN, mandatory=True)
_KIND: Final = ("1", "2")

ROUTES: Final = (
    Route("POST", "leverage", set_leverage, "Set the leverage of a symbol", Security.SIGNED_TRADE,
          (SYMBOL, Parameter("leverage", Kind.INTEGER, mandatory=True)), changes_state=True),
    Route("POST", "marginType", set_margin_type, "Set isolated or cross margin", Security.SIGNED_TRADE,
          (SYMBOL, Parameter("marginType", mandatory=True, choices=("ISOLATED", "CROSSED"))), changes_state=True),
    Route("GET", "positionSide/dual", position_mode, "Return the position mode", Security.SIGNED_READ, weight=30),
    Route("POST", "positionSide/dual", set_position_mode, "Set the position mode", Security.SIGNED_TRADE, (_DUAL,),
          changes_state=True),
    Route("GET", "multiAssetsMargin", asset_mode, "Return the asset mode", Security.SIGNED_READ, weight=30,
          versions=only(Product.USDM)),
    Route("POST", "multiAssetsMargin", set_asset_mode, "Set the asset mode", Security.SIGNED_TRADE,
          (Parameter("multiAssetsMargin", Kind.BOOLEAN, mandatory=True),), versions=only(Product.USDM),
          changes_state=True),
    Route("GET", "feeBurn", fee_burn, "Return whether fees are paid in BNB", Security.SIGNED_READ, weight=30,
          versions=only(Product.USDM)),
    Route("POST", "feeBurn", set_fee_burn, "Set whether fees are paid in BNB", Security.SIGNED_TRADE,
          (Parameter("feeBurn", Kind.BOOLEAN, mandatory=True),), versions=only(Product.USDM)),
    Route("POST", "positionMargin", adjust_margin, "Change the margin of an isolated position",
          Security.SIGNED_TRADE,
          (SYMBOL, Parameter("amount", Kind.DECIMAL, mandatory=True), Parameter("type", mandatory=True, choices=_KIND),
           Parameter("positionSide", choices=tuple(PositionSide.__members__), refused_as=-4060)), changes_state=True),
    Route("GET", "positionMargin/history", margin_history, "Return changes of isolated margin", Security.SIGNED_READ,
          (SYMBOL, Parameter("type", choices=_KIND), *SPAN)),
)
