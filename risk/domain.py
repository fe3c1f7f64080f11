"""What risk decides on: orders, intents and execution reports as plain values, free of any wire format.

The words of an order are those of `sluice.orders`. `None` means that the field was not specified, or empty, or did not
parse: risk has to look at such orders too, to say what is wrong with them. Prices and quantities are decimals.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from sluice.orders import (
    AlgorithmKind,
    OrderType,
    PositionSide,
    PriceMatch,
    ReportKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)


class TradingState(Enum):
    """What may pass at all."""

    UNSPECIFIED = 0
    ACTIVE = 1
    REDUCING = 2
    HALTED = 3


class ReasonCode(Enum):
    """Why an order was refused; each code belongs to one check."""

    INSTRUMENT_UNKNOWN = 1
    PRICE_TICK = 2
    QUANTITY_LOT = 3
    PRICE_COLLAR = 4
    ORDER_NOTIONAL = 5
    ORDER_NOTIONAL_MINIMUM = 6
    POSITION_LIMIT = 7
    GROSS_EXPOSURE = 8
    ORDER_RATE = 9
    STALE_DATA = 10
    DRAWDOWN_DAY = 11
    DRAWDOWN_WEEK = 12
    TRADING_HALTED = 13
    TRADING_REDUCING = 14
    REDUCE_ONLY = 15
    SIZE_TOO_SMALL = 16
    INTENT_MALFORMED = 17
    PORTFOLIO_BEHIND = 18
    EQUITY_UNKNOWN = 19
    INTENT_TIME = 20


@dataclass(frozen=True, slots=True)
class Order:
    """An order wanted or approved. `quantity` is in base units (linear) or contracts (inverse)."""

    instrument: str
    side: Side | None
    position_side: PositionSide | None
    type: OrderType | None
    time_in_force: TimeInForce | None
    quantity: Decimal | None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_price: TriggerPrice | None = None
    callback_rate_percent: Decimal | None = None
    activation_price: Decimal | None = None
    reduce_only: bool = False
    close_position: bool = False
    good_till_time_ns: int = 0
    self_trade_prevention: SelfTradePrevention | None = None
    price_match: PriceMatch | None = None
    price_protect: bool = False
    algorithm: AlgorithmKind | None = None

    @property
    def reducing(self) -> bool:
        """Tell whether the venue itself lets this order only make the position smaller."""
        return self.reduce_only or self.close_position

    @property
    def pegged(self) -> bool:
        """Tell whether the venue sets the price from the book."""
        return self.price_match not in (None, PriceMatch.NONE)


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What a strategy wants done. `problems` are the fields that could not be read; any of them is a veto."""

    intent_id: str
    strategy: str
    order: Order
    event_time_ns: int
    average_true_range: Decimal | None = None
    model_version: str = ""
    action: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One failed check: the bound, what was seen, and a sentence with both."""

    code: ReasonCode
    limit: str
    observed: str
    message: str


@dataclass(frozen=True, slots=True)
class BookTop:
    """Best prices of an instrument at a time; a price that is missing or unreadable is None."""

    instrument: str
    event_time_ns: int
    best_bid: Decimal | None
    best_ask: Decimal | None
    mark_price: Decimal | None
    synced: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of ours. `fee` is positive where paid."""

    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One thing that happened to an order, numbered without holes by execution.

    `kind` is None for one that this version does not know. `final` tells that the order is at its end after this
    report; `fill` is there for FILL only.
    """

    sequence: int
    event_time_ns: int
    kind: ReportKind | None
    decision_id: str
    instrument: str
    side: Side | None
    final: bool
    fill: Fill | None = None
