"""How large an order may be: the loss at an assumed stop stays within a fraction of equity.

    linear     loss of one unit     = contract_size * k * ATR                     in the quote asset
    inverse    loss of one contract = contract_size * |1/p - 1/(p -+ k * ATR)|    in coin; the stop of a long is below

    quantity = min(requested, risk_per_trade * equity / loss, max_order_notional / notional of one unit), down to a lot

with k = `stop_distance_atr`. It makes an order smaller and never larger. Orders that only reduce are not sized: getting
out must not depend on equity. Formula: fixed fractional sizing (Tharp), in the contract's own settlement asset.
"""

from dataclasses import dataclass
from decimal import Decimal

from sluice.config.settings import LimitSettings
from sluice.decimals import MONEY, ONE, ZERO, truncate_to_step
from sluice.instruments import Instrument
from sluice.orders import Side


@dataclass(frozen=True, slots=True)
class SizingInput:
    """What sizing needs of an order: `price` is the one that it is counted at, `equity` in the settlement asset.

    `side` is None where the order states none; it is sized like a sell, and vetoed for its form.
    """

    side: Side | None
    requested: Decimal
    price: Decimal
    average_true_range: Decimal
    equity: Decimal


def sized_quantity(wanted: SizingInput, instrument: Instrument, limits: LimitSettings) -> Decimal:
    """Return the quantity allowed, a multiple of the lot size; zero where not even one lot is."""
    loss = stop_loss_of_one(wanted, instrument, limits.stop_distance_atr)
    if loss is None or wanted.equity <= ZERO:
        return ZERO
    by_risk = MONEY.divide(MONEY.multiply(limits.risk_per_trade, wanted.equity), loss)
    by_notional = MONEY.divide(limits.max_order_notional, instrument.notional(ONE, wanted.price))
    return truncate_to_step(min(wanted.requested, by_risk, by_notional), instrument.lot_size)


def stop_loss_of_one(wanted: SizingInput, instrument: Instrument, stop_distance_atr: Decimal) -> Decimal | None:
    """Return what one unit loses at the stop, in the settlement asset; None where a long's stop would be below zero.

    `average_true_range` and `price` must be positive.
    """
    distance = MONEY.multiply(stop_distance_atr, wanted.average_true_range)
    if not instrument.inverse:
        return MONEY.multiply(instrument.contract_size, distance)
    stop = wanted.price - distance if wanted.side is Side.BUY else wanted.price + distance
    if stop <= ZERO:
        return None
    move = MONEY.subtract(MONEY.divide(ONE, wanted.price), MONEY.divide(ONE, stop))
    return MONEY.multiply(instrument.contract_size, abs(move))
