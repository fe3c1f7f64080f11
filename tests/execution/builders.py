"""Builders of orders and facts for the tests of this folder."""

from decimal import Decimal

from execution.domain import Fill, OrderRequest, OrderState
from execution.state_machine import Occurrence, new_order
from sluice.envelope import client_order_id
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, ReportKind, Side, TimeInForce

CATALOG = InstrumentCatalog.shipped()
BTC = CATALOG.require("BINANCE_USDM:BTCUSDT")
BTC_COIN = CATALOG.require("BINANCE_COINM:BTCUSD_PERP")


def a_request(decision_id: str = "d-1", quantity: str = "1", inverse: bool = False) -> OrderRequest:
    return OrderRequest(
        client_order_id(decision_id), BTC_COIN if inverse else BTC, Side.BUY, OrderType.LIMIT, TimeInForce.GTC,
        Decimal(quantity), Decimal(60_000))


def an_order(quantity: str = "1", inverse: bool = False) -> OrderState:
    return new_order(a_request(quantity=quantity, inverse=inverse), "d-1", 100)


def a_fill(trade_id: str = "t1", quantity: str = "1", price: str = "60000", fee: str = "0.5") -> Fill:
    return Fill(trade_id, Decimal(quantity), Decimal(price), Decimal(fee), "USDT", maker=False)


def filled(trade_id: str = "t1", quantity: str = "1", at: int = 200, price: str = "60000") -> Occurrence:
    return Occurrence(ReportKind.FILL, at, a_fill(trade_id, quantity, price))


def told(kind: ReportKind, at: int = 200, message: str = "") -> Occurrence:
    return Occurrence(kind, at, message=message)
