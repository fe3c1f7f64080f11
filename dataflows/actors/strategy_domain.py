"""What a strategy sees and what it says: reports about its orders, a prediction, and the commands it answers with.

These are values of the dataflow's own; the desk translates them from and to the contracts.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from sluice.decimals import ZERO
from sluice.orders import Side


class OrderKind(Enum):
    """The ways in which the shipped strategy trades."""

    #: Rests at its own side of the book and is refused where it would take.
    POST_ONLY = "post-only"
    #: Takes up to the other side's best price and leaves nothing behind.
    TAKE = "take"
    #: Takes at whatever price: for getting out.
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """An intent. `price` is None for market orders; `average_true_range` None for reduce-only ones."""

    intent_id: str
    instrument: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    average_true_range: Decimal | None
    event_time_ns: int
    action: int


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """A wish to take a resting order back."""

    client_order_id: str
    reason: str


Command = PlaceOrder | CancelOrder


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What happened to one of the account's orders, as execution reported it.

    `final` tells that nothing more will come of the order. The fill fields are zero where the report is no fill.
    """

    sequence: int
    instrument: str
    client_order_id: str
    side: Side
    final: bool
    fill_quantity: Decimal = ZERO
    fill_price: Decimal = ZERO
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the models say about one row. `valid` False: nothing may be traded on it."""

    instrument: str
    action: int
    valid: bool
    model_version: str


@dataclass(frozen=True, slots=True)
class MarketView:
    """The prices that a strategy needs at a tick, from its feature row."""

    event_time_ns: int
    best_bid: float
    best_ask: float
    average_true_range: float
    usable: bool
