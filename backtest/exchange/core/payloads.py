"""User events in Binance's wire shape. Numbers are texts without trailing zeros, times are milliseconds.

Source: Binance, user data streams of USD-M and COIN-M futures (ORDER_TRADE_UPDATE, ACCOUNT_UPDATE, TRADE_LITE,
ALGO_UPDATE, MARGIN_CALL, ACCOUNT_CONFIG_UPDATE), with the fields that the wire had in autumn 2026.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from backtest.account.held import HeldPosition
from backtest.account.margin import PositionFigures
from backtest.exchange.core.domain import AccountTrade, AlgoOrder, ExchangeOrder, Product
from sluice.decimals import MONEY, ZERO, text
from sluice.orders import OrderType, TriggerPrice
from sluice.positions import SMALLEST_AMOUNT

Payload = dict[str, Any]

_WORKING: Final = {TriggerPrice.LAST: "CONTRACT_PRICE", TriggerPrice.MARK: "MARK_PRICE"}
#: The word of an order's status for the `x` of an event that ends it.
_ENDS: Final = {"EXPIRED_IN_MATCH": "EXPIRED"}


def amount(value: Decimal) -> str:
    """Return money as the wire shows it: 8 decimals at most."""
    return text(value.quantize(SMALLEST_AMOUNT, context=MONEY))


def working_type(trigger: TriggerPrice) -> str:
    """Return the wire's word for the price that fires an order."""
    return _WORKING[trigger]


def execution_type(status: str) -> str:
    """Return the `x` of an event in which an order took a final status without a trade."""
    return _ENDS.get(status, status)


def head(kind: str, time_ms: int) -> Payload:
    """Return what every event begins with."""
    return {"e": kind, "T": time_ms, "E": time_ms}


def force_order(order: ExchangeOrder, last_quantity: Decimal, time_ms: int) -> Payload:
    """Return `forceOrder`, which tells everybody of a fill that liquidated an account."""
    body = {
        "s": order.symbol, "S": order.side.name, "o": order.type.name, "f": order.time_in_force.name,
        "q": text(order.quantity), "p": text(order.price), "ap": text(order.average_price), "X": order.status,
        "l": text(last_quantity), "z": text(order.executed_quantity), "T": time_ms,
    }
    family = 1 if order.product is Product.USDM else 2
    return {"e": "forceOrder", "E": time_ms, "o": body, "ps": order.pair, "st": family}


def order_update(
    order: ExchangeOrder, execution: str, time_ms: int, notionals: tuple[Decimal, Decimal],
    trade: AccountTrade | None = None, modify_id: str = "",
) -> Payload:
    """Return ORDER_TRADE_UPDATE. `notionals` are the values of the account's open bids and asks in the symbol."""
    body: Payload = {
        "s": order.symbol, "c": order.client_order_id, "S": order.side.name, "o": order.type.name,
        "f": order.time_in_force.name, "q": text(order.quantity), "p": text(order.price),
        "ap": text(order.average_price), "sp": text(order.stop_price), "x": execution, "X": order.status,
        "i": order.order_id, "l": "0", "z": text(order.executed_quantity), "L": "0",
        "T": time_ms, "t": 0, "b": amount(notionals[0]), "a": amount(notionals[1]), "m": False,
        "R": order.reduce_only, "wt": working_type(order.working_type), "ot": order.original_type.name,
        "ps": order.position_side.name, "cp": order.close_position, "rp": "0", "pP": order.price_protect, "si": 0,
        "ss": 0, "V": order.self_trade_prevention.name, "pm": order.price_match.name, "gtd": order.good_till_date_ms,
        "er": str(order.expire_reason),
    }
    if order.product is Product.COINM:
        body["ma"] = order.margin_asset
    if modify_id:
        body["M"] = modify_id
    if trade is not None:
        body |= _traded(trade)
    return head("ORDER_TRADE_UPDATE", time_ms) | {"o": body}


def _traded(trade: AccountTrade) -> Payload:
    return {
        "l": text(trade.quantity), "L": text(trade.price), "n": text(trade.commission), "N": trade.commission_asset,
        "t": trade.trade_id, "m": trade.maker, "rp": amount(trade.realised_pnl),
    }


def trade_lite(order: ExchangeOrder, trade: AccountTrade, time_ms: int) -> Payload:
    """Return TRADE_LITE, which comes before the full event and tells neither fee nor profit."""
    return head("TRADE_LITE", time_ms) | {
        "s": order.symbol, "q": text(order.quantity), "p": text(order.price), "m": trade.maker,
        "c": order.client_order_id, "S": order.side.name, "L": text(trade.price), "l": text(trade.quantity),
        "t": trade.trade_id, "i": order.order_id,
    }


@dataclass(frozen=True, slots=True)
class Balance:
    """A wallet in ACCOUNT_UPDATE; `change` is what came from neither profit nor commission."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    change: Decimal = ZERO


def account_update(
    reason: str, balances: Sequence[Balance], positions: Sequence[Payload], time_ms: int, symbol: str = "",
    alias: str = "",
) -> Payload:
    """Return ACCOUNT_UPDATE; `alias` is the account alias that COIN-M events carry."""
    body: Payload = {
        "m": reason,
        "B": [
            {"a": b.asset, "wb": amount(b.wallet), "cw": amount(b.cross_wallet), "bc": amount(b.change)}
            for b in balances
        ],
        "P": list(positions),
    }
    if symbol:
        body["S"] = symbol
    return head("ACCOUNT_UPDATE", time_ms) | ({"i": alias} if alias else {}) | {"a": body}


def position_row(held: HeldPosition, mark_price: Decimal, *, isolated: bool) -> Payload:
    """Return a row of `P`."""
    return {
        "s": held.symbol, "pa": text(held.quantity), "ep": amount(held.entry_price),
        "bep": amount(held.break_even_price), "cr": amount(held.position.realised_pnl),
        "up": amount(held.unrealised_pnl(mark_price)) if held.quantity else "0",
        "mt": "isolated" if isolated else "cross", "iw": amount(held.isolated_wallet), "ps": held.side.name,
        "ma": held.instrument.settlement_asset,
    }


def algo_update(algo: AlgoOrder, time_ms: int) -> Payload:
    """Return ALGO_UPDATE; average price and executed quantity are those of the order that it became."""
    triggered = algo.actual_order_id > 0
    body: Payload = {
        "caid": algo.client_algo_id, "aid": algo.algo_id, "at": "CONDITIONAL", "o": algo.type.name, "s": algo.symbol,
        "S": algo.side.name, "ps": algo.position_side.name, "f": algo.time_in_force.name, "q": text(algo.quantity),
        "X": algo.status, "ai": str(algo.actual_order_id) if triggered else "",
        "tp": text(algo.trigger_price), "p": text(algo.price), "V": algo.self_trade_prevention.name,
        "wt": working_type(algo.working_type), "pm": algo.price_match.name, "cp": algo.close_position,
        "pP": algo.price_protect, "R": algo.reduce_only, "tt": algo.trigger_time_ms, "gtd": algo.good_till_date_ms,
        "rm": algo.message,
    }
    if triggered:
        kind = algo.actual_type.name if algo.actual_type is not None else ""
        body |= {"ap": text(algo.actual_price), "aq": text(algo.actual_quantity), "act": kind}
    if algo.type is OrderType.TRAILING_STOP_MARKET:
        body |= {"AP": text(algo.activation_price), "cr": text(algo.callback_rate_percent), "ia": algo.active}
    return head("ALGO_UPDATE", time_ms) | {"o": body}


def config_update(time_ms: int, *, symbol: str, leverage: int) -> Payload:
    """Return ACCOUNT_CONFIG_UPDATE of a changed leverage."""
    return head("ACCOUNT_CONFIG_UPDATE", time_ms) | {"ac": {"s": symbol, "l": leverage}}


def margin_call(time_ms: int, cross_wallet: Decimal, rows: Sequence[PositionFigures]) -> Payload:
    """Return MARGIN_CALL with the positions that are near their liquidation."""
    positions: list[Mapping[str, str]] = [
        {
            "s": row.held.symbol, "ps": row.held.side.name, "pa": text(row.held.quantity),
            "mt": "ISOLATED" if row.isolated else "CROSSED", "iw": amount(row.held.isolated_wallet),
            "mp": text(row.mark_price), "up": amount(row.unrealised_pnl), "mm": amount(row.maintenance_margin),
        }
        for row in rows
    ]
    return head("MARGIN_CALL", time_ms) | {"cw": amount(cross_wallet), "p": positions}
