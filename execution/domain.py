"""What execution keeps: the order as a venue gets it, its state, and the reports about it.

Pure values in the words of `sluice.orders`, without protobuf; `execution.codec` translates at the edges. What may
follow what is in `execution.state_machine`.
"""

from dataclasses import dataclass
from decimal import Decimal

from sluice.decimals import MONEY, ZERO
from sluice.instruments import Instrument
from sluice.orders import (
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    ReportKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)
from sluice.positions import average_price


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
