"""What the checks see at one decision: an immutable picture of the intent, the market, the account and the limits."""

from dataclasses import dataclass
from decimal import Decimal

from risk.domain import BookTop, OrderIntent, TradingState
from risk.drawdown import Latch
from risk.reservations import ReservedQuantities
from sluice.config.settings import LimitSettings
from sluice.instruments import Instrument


@dataclass(frozen=True, slots=True)
class View:
    """Inputs of every check; None where something is unknown.

    `position` is signed, `equity` in the instrument's settlement asset, `gross_exposure` in the quote currency with
    the order at hand counted in, `worst_price` the price that the order is counted at.
    """

    intent: OrderIntent
    now_ns: int
    limits: LimitSettings
    trading_state: TradingState
    market_time_ns: int
    approvals_in_window: int
    latch_day: Latch | None
    latch_week: Latch | None
    instrument: Instrument | None
    top: BookTop | None
    reference_price: Decimal | None
    worst_price: Decimal | None
    position: Decimal
    reserved: ReservedQuantities
    equity: Decimal | None
    gross_exposure: Decimal | None
