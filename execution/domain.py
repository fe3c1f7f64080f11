"""The words of the order path: enums, the order as a venue gets it, its state, and the reports about it.

Pure values with the contract's numbers (`sluice.risk.v1`, `sluice.execution.v1`), without protobuf; `execution.codec`
translates at the edges. What may follow what is in `execution.state_machine`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from sluice.decimals import MONEY, ZERO
from sluice.instruments import Instrument
from sluice.positions import average_price


class Side(Enum):
    """Buy or sell."""

    BUY = 1
    SELL = 2

    @property
    def sign(self) -> int:
        """Return 1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1


class PositionSide(Enum):
    """Which position an order works on: BOTH in one-way mode, LONG or SHORT in hedge mode."""

    BOTH = 1
    LONG = 2
    SHORT = 3


class OrderType(Enum):
    """The order types of Binance futures; those from STOP on wait for a trigger."""

    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_MARKET = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_MARKET = 6
    TRAILING_STOP_MARKET = 7


class TimeInForce(Enum):
    """How long an order stands. GTX is post only, RPI is post only for retail orders."""

    GTC = 1
    IOC = 2
    FOK = 3
    GTX = 4
    GTD = 5
    RPI = 6


class TriggerPrice(Enum):
    """Which price fires a conditional order."""

    LAST = 1
    MARK = 2


class SelfTradePrevention(Enum):
    """What happens where two orders of one account meet."""

    NONE = 1
    EXPIRE_TAKER = 2
    EXPIRE_MAKER = 3
    EXPIRE_BOTH = 4


class PriceMatch(Enum):
    """A price relative to the book in place of a price."""

    NONE = 1
    OPPONENT = 2
    OPPONENT_5 = 3
    OPPONENT_10 = 4
    OPPONENT_20 = 5
    QUEUE = 6
    QUEUE_5 = 7
    QUEUE_10 = 8
    QUEUE_20 = 9


class OrderStatus(Enum):
    """Where an order stands. UNKNOWN is a state: only the venue's word ends it."""

    PENDING = 1
    SENT = 2
    ACCEPTED = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCEL_PENDING = 6
    CANCELED = 7
    REJECTED = 8
    EXPIRED = 9
    UNKNOWN = 10

    @property
    def final(self) -> bool:
        """Tell whether nothing but a late fill can follow."""
        return self in _FINAL


_FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class ReportKind(Enum):
    """What happened to an order, in the contract's words."""

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
class OrderRequest:
    """An order as a venue gets it: every field comes from the bytes that risk signed.

    `quantity` is in base units (linear) or contracts (inverse). `price` is None for market types. `good_till_time_ns`
    is 0 unless the order is good till a date.
    """

    client_order_id: str
    instrument: Instrument
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    price: Decimal | None = None
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    stop_price: Decimal | None = None
    trigger_price: TriggerPrice | None = None
    callback_rate_percent: Decimal | None = None
    activation_price: Decimal | None = None
    close_position: bool = False
    good_till_time_ns: int = 0
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.NONE
    price_match: PriceMatch = PriceMatch.NONE
    price_protect: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an order. `trade_id` is unique for the instrument; `fee` is positive where paid."""

    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order and everything that is known about it.

    `fills` are sorted by trade id. `seen` names what has been counted, so that a repetition changes nothing. `unknown`
    holds from a missing answer to the venue's next word. `excess_quantity` is what the venue filled beyond the order,
    which must never happen: it is kept apart, so that `filled_quantity` stays within the order.
    """

    request: OrderRequest
    decision_id: str
    created_at_ns: int
    updated_at_ns: int
    status: OrderStatus = OrderStatus.PENDING
    fills: tuple[Fill, ...] = ()
    venue_order_id: str = ""
    report_sequence: int = 0
    message: str = ""
    seen: frozenset[tuple[ReportKind, str]] = frozenset()
    sent: bool = False
    unknown: bool = False

    @property
    def client_order_id(self) -> str:
        """Return the venue's client order id."""
        return self.request.client_order_id

    @property
    def traded_quantity(self) -> Decimal:
        """Return the sum of all fills, also of those beyond the order's quantity."""
        return sum((fill.quantity for fill in self.fills), ZERO)

    @property
    def filled_quantity(self) -> Decimal:
        """Return what is filled, never above the order's quantity."""
        return min(self.traded_quantity, self.request.quantity)

    @property
    def excess_quantity(self) -> Decimal:
        """Return what the venue filled beyond the order's quantity; anything but zero is an alarm."""
        return max(self.traded_quantity - self.request.quantity, ZERO)

    @property
    def average_price(self) -> Decimal | None:
        """Return the quantity-weighted price (harmonic for inverse contracts), None before the first fill."""
        if not self.fills:
            return None
        return average_price(self.request.instrument, tuple((fill.quantity, fill.price) for fill in self.fills))

    @property
    def fees(self) -> Decimal:
        """Return the sum of the fees, in `fee_asset`."""
        total = ZERO
        for fill in self.fills:
            total = MONEY.add(total, fill.fee)
        return total

    @property
    def fee_asset(self) -> str:
        """Return the asset that fees are paid in; empty before the first fill."""
        return self.fills[0].fee_asset if self.fills else ""


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One thing that happened to an order, or to a decision that was never sent (NOT_SENT, without an order).

    `sequence` has no holes. `status` is the state after it; None only for NOT_SENT.
    """

    sequence: int
    event_time_ns: int
    kind: ReportKind
    decision_id: str
    client_order_id: str
    instrument: str
    side: Side | None
    status: OrderStatus | None
    quantity: Decimal
    filled_quantity: Decimal
    fill: Fill | None = None
    message: str = ""
    reduce_only: bool = False
