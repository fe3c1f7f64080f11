"""The limits as others see them: a list with the check that holds each, and a version over all of them."""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from risk.domain import ReasonCode
from sluice.config.settings import LimitSettings

#: The check that holds a limit. A limit without a check of its own shapes the size or the approval.
HELD_BY: Final = {
    "max_order_notional": ReasonCode.ORDER_NOTIONAL,
    "max_position_notional": ReasonCode.POSITION_LIMIT,
    "max_gross_exposure": ReasonCode.GROSS_EXPOSURE,
    "price_collar_bps": ReasonCode.PRICE_COLLAR,
    "max_orders_per_window": ReasonCode.ORDER_RATE,
    "order_window_ms": ReasonCode.ORDER_RATE,
    "max_data_age_ms": ReasonCode.STALE_DATA,
    "max_drawdown_day": ReasonCode.DRAWDOWN_DAY,
    "max_drawdown_week": ReasonCode.DRAWDOWN_WEEK,
    "risk_per_trade": ReasonCode.SIZE_TOO_SMALL,
    "stop_distance_atr": ReasonCode.SIZE_TOO_SMALL,
    "approval_lifetime_ms": None,
    "market_slippage_bps": ReasonCode.ORDER_NOTIONAL,
}


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """One limit as text."""

    name: str
    value: str
    code: ReasonCode | None


def named_limits(limits: LimitSettings) -> list[NamedLimit]:
    """Return every limit by name."""
    values = limits.model_dump(mode="json")
    return [NamedLimit(name, str(values[name]), HELD_BY.get(name)) for name in sorted(values)]


def limits_version(limits: LimitSettings) -> str:
    """Return the SHA-256 of the limits in canonical JSON, hexadecimal: equal exactly where the limits are."""
    canonical = json.dumps(
        {limit.name: limit.value for limit in named_limits(limits)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
