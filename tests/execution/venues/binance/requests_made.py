"""Orders for the tests of this folder."""

from dataclasses import replace
from decimal import Decimal

from execution.domain import OrderRequest
from sluice.orders import SelfTradePrevention
from tests.execution.builders import BTC, BTC_COIN, a_request

__all__ = ["BTC", "BTC_COIN", "an_order"]


def an_order(decision_id: str = "d-1", quantity: str = "0.010", inverse: bool = False,
             **changed: object) -> OrderRequest:
    made = a_request(decision_id, quantity, inverse)
    made = replace(made, price=Decimal("60000.10"), self_trade_prevention=SelfTradePrevention.EXPIRE_MAKER)
    return replace(made, **changed)  # type: ignore[arg-type]  # each test changes one field of its own type
