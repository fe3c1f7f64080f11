"""What risk decides on: orders, intents and execution reports as plain values, free of any wire format.

The numbers of the enums are those of the contract, so that a conversion is a look-up. Zero is UNSPECIFIED and never
passes. Prices and quantities are decimals; `None` means that the field was empty or did not parse.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Side(Enum):
    """Which way an order moves the position."""

    UNSPECIFIED = 0
    BUY = 1
    SELL = 2

    @property
    def sign(self) -> int:
        """Return 1 for a buy, -1 for a sell and 0 where unspecified."""
        return {Side.BUY: 1, Side.SELL: -1}.get(self, 0)


class PositionSide(Enum):
    """Which position an order works on; risk takes one-way mode (BOTH) only."""

    UNSPECIFIED = 0
    BOTH = 1
    LONG = 2
    SHORT = 3


class OrderType(Enum):
    """The order types of Binance futures."""

    UNSPECIFIED = 0
    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_MARKET = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_MARKET = 6
    TRAILING_STOP_MARKET = 7


#: Types that state a limit price.
PRICED_TYPES = frozenset({OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT})
#: Types that wait for a stop price.
STOP_TYPES = frozenset(
    {OrderType.STOP, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET})
#: Types that wait for a trigger of any kind.
CONDITIONAL_TYPES = STOP_TYPES | {OrderType.TRAILING_STOP_MARKET}
#: Types that may close the whole position.
CLOSING_TYPES = frozenset({OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET})


class TimeInForce(Enum):
    """How long an order works."""

    UNSPECIFIED = 0
    GTC = 1
    IOC = 2
    FOK = 3
    GTX = 4
    GTD = 5
    RPI = 6


class TriggerPrice(Enum):
    """Which price fires a conditional order."""

    UNSPECIFIED = 0
    LAST = 1
    MARK = 2


class SelfTradePrevention(Enum):
    """What the venue does where an order would meet one of our own."""

    UNSPECIFIED = 0
    NONE = 1
    EXPIRE_TAKER = 2
    EXPIRE_MAKER = 3
    EXPIRE_BOTH = 4


class PriceMatch(Enum):
    """A price relative to the book, in place of a price."""

    UNSPECIFIED = 0
    NONE = 1
    OPPONENT = 2
    OPPONENT_5 = 3
    OPPONENT_10 = 4
    OPPONENT_20 = 5
    QUEUE = 6
    QUEUE_5 = 7
    QUEUE_10 = 8
    QUEUE_20 = 9


class AlgorithmKind(Enum):
    """How an approved order is worked."""

    UNSPECIFIED = 0
    NONE = 1
    TWAP = 2
    VWAP = 3
    ICEBERG = 4
    SNIPER = 5


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


class ReportKind(Enum):
    """What happened to an order."""

    UNSPECIFIED = 0
    SUBMITTED = 1
    ACCEPTED = 2
    FILL = 3
    CANCELED = 4
    REJECTED = 5
    EXPIRED = 6
    UNKNOWN = 7
    CANCEL_REQUESTED = 8
    CANCEL_REJECTED = 9
    NOT_SENT = 10


@dataclass(frozen=True, slots=True)
class Order:
    """An order wanted or approved. `quantity` is in base units (linear) or contracts (inverse)."""

    instrument: str
    side: Side
    position_side: PositionSide
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_price: TriggerPrice = TriggerPrice.UNSPECIFIED
    callback_rate_percent: Decimal | None = None
    activation_price: Decimal | None = None
    reduce_only: bool = False
    close_position: bool = False
    good_till_time_ns: int = 0
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.UNSPECIFIED
    price_match: PriceMatch = PriceMatch.UNSPECIFIED
    price_protect: bool = False
    algorithm: AlgorithmKind = AlgorithmKind.UNSPECIFIED

    @property
    def reducing(self) -> bool:
        """Tell whether the venue itself lets this order only make the position smaller."""
        return self.reduce_only or self.close_position

    @property
    def pegged(self) -> bool:
        """Tell whether the venue sets the price from the book."""
        return self.price_match not in (PriceMatch.UNSPECIFIED, PriceMatch.NONE)


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

    `final` tells that the order is at its end after this report; `fill` is there for FILL only.
    """

    sequence: int
    event_time_ns: int
    kind: ReportKind
    decision_id: str
    instrument: str
    side: Side
    final: bool
    fill: Fill | None = None
