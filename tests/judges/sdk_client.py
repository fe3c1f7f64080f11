"""Binance's official SDKs, pointed at an exchange on this machine, and what their models did not know of an answer.

The SDKs decode with strict types and keep what they do not know apart: a wrong type is an error, an unknown field is
told.
"""

import importlib
from typing import Any

from pydantic import BaseModel

#: Name of the package, and of the class, of each product.
PRODUCTS = {
    "usds": ("derivatives_trading_usds_futures", "DerivativesTradingUsdsFutures"),
    "coin": ("derivatives_trading_coin_futures", "DerivativesTradingCoinFutures"),
}
#: Symbol and a usual quantity.
TRADED = {"usds": ("BTCUSDT", 0.01), "coin": ("BTCUSD_PERP", 2)}


def client(product: str, **configurations: Any) -> Any:
    """Return the SDK's client of a product."""
    module, name = PRODUCTS[product]
    return getattr(importlib.import_module(f"binance_sdk_{module}.{module}"), name)(**configurations)


def unknown_fields(data: Any, path: str = "") -> list[str]:
    """Return the fields of an answer that the models do not know."""
    if isinstance(data, list):
        return sorted({name for item in data for name in unknown_fields(item, path)})
    if not isinstance(data, BaseModel):
        return []
    found = [f"{path}.{name}" for name in getattr(data, "additional_properties", {})]
    if (inner := getattr(data, "actual_instance", None)) is not None:
        return found + unknown_fields(inner, path)
    for name in type(data).model_fields:
        if name != "additional_properties":
            found += unknown_fields(getattr(data, name), f"{path}.{name}")
    return sorted(set(found))
