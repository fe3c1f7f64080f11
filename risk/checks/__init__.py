"""The checks, one file each, and the registry that runs them all in this order.

Every check runs on every order, so that a veto names all that is wrong and not only what was found first. Adding a
check means adding a file and its line here.
"""

from risk.checks import (
    drawdown_day,
    drawdown_week,
    equity_known,
    gross_exposure,
    instrument_known,
    intent_time,
    intent_well_formed,
    order_notional,
    order_notional_minimum,
    order_rate,
    position_limit,
    price_collar,
    price_tick,
    quantity_lot,
    reduce_only,
    size_too_small,
    stale_data,
    trading_halted,
    trading_reducing,
)
from risk.checks.base import Check

CHECKS: tuple[Check, ...] = (
    trading_halted.CHECK,
    trading_reducing.CHECK,
    intent_well_formed.CHECK,
    instrument_known.CHECK,
    intent_time.CHECK,
    stale_data.CHECK,
    price_tick.CHECK,
    quantity_lot.CHECK,
    price_collar.CHECK,
    reduce_only.CHECK,
    equity_known.CHECK,
    size_too_small.CHECK,
    order_notional.CHECK,
    order_notional_minimum.CHECK,
    position_limit.CHECK,
    gross_exposure.CHECK,
    order_rate.CHECK,
    drawdown_day.CHECK,
    drawdown_week.CHECK,
)

__all__ = ["CHECKS", "Check"]
