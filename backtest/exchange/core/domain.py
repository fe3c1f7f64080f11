"""What the exchange's core takes and gives: listings, order tickets, orders, trades and user events.

Everything is a value. Times are milliseconds, as on the wire; prices and quantities are exact decimals; enums are the
order path's own (`sluice.orders`), and `status` words are Binance's, because clients read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from backtest.account.brackets import Bracket
from backtest.exchange.core.errors import ExchangeError
from sluice.decimals import ZERO
from sluice.instruments import Instrument
from sluice.orders import (
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)

__all__ = [
    "AccountTrade", "AlgoOrder", "Amendment", "ExchangeError", "ExchangeOrder", "Listing", "OrderTicket", "Product",
    "UserEvent",
]

#: Statuses of an order that is still working.
OPEN_STATUSES: Final = frozenset({"NEW", "PARTIALLY_FILLED"})
#: Statuses of a conditional order that has not ended. TRIGGERED ones have become an ordinary order that still works.
OPEN_ALGO_STATUSES: Final = frozenset({"NEW", "TRIGGERING", "TRIGGERED"})
#: What the wire shows as the end of a contract that never ends.
PERPETUAL_DELIVERY_MS: Final = 4_133_404_800_000


class Product(Enum):
    """A family of contracts, by the first part of its REST paths."""

    USDM = "fapi"
    COINM = "dapi"


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument as exchangeInfo shows it. What an account pays is its own matter: `Exchange.fee_rates`."""

    product: Product
    instrument: Instrument
    pair: str
    contract_type: str = "PERPETUAL"
    onboard_ms: int = 1_569_398_400_000
    delivery_ms: int = PERPETUAL_DELIVERY_MS
    brackets: tuple[Bracket, ...] = ()
    liquidation_fee: Decimal = Decimal("0.0125")
    trigger_protect: Decimal = Decimal("0.05")
    funding_interval_hours: int = 8
    max_orders: int = 200
    max_algo_orders: int = 200

    @property
    def symbol(self) -> str:
        """Return the venue's symbol."""
        return self.instrument.symbol


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """What a client asked for, parsed but not yet judged. None means not given.

    `type` may be a conditional one only for `place_algo`, where `stop_price` is the trigger price. A client order id
    that is empty is made by the exchange. `quantity` is in base units (USD-M) or contracts (COIN-M).
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    position_side: PositionSide | None = None
    reduce_only: bool | None = None
    close_position: bool = False
    client_order_id: str = ""
    stop_price: Decimal | None = None
    working_type: TriggerPrice = TriggerPrice.LAST
    price_protect: bool = False
    activation_price: Decimal | None = None
    callback_rate_percent: Decimal | None = None
    price_match: PriceMatch | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    good_till_date_ms: int = 0


@dataclass(frozen=True, slots=True)
class ExchangeOrder:
    """An ordinary order as GET order and ORDER_TRADE_UPDATE tell it.

    `executed_value` is cumQuote (USD-M, quote asset) or cumBase (COIN-M, coin). `type` is what it is now and
    `original_type` what it was placed as (a triggered STOP is a LIMIT). `expire_reason` is the wire's `er`.
    """

    account: str
    product: Product
    symbol: str
    pair: str
    order_id: int
    client_order_id: str
    side: Side
    type: OrderType
    original_type: OrderType
    time_in_force: TimeInForce
    position_side: PositionSide
    quantity: Decimal
    price: Decimal
    margin_asset: str
    time_ms: int
    update_time_ms: int
    status: str = "NEW"
    executed_quantity: Decimal = ZERO
    executed_value: Decimal = ZERO
    average_price: Decimal = ZERO
    reduce_only: bool = False
    close_position: bool = False
    stop_price: Decimal = ZERO
    working_type: TriggerPrice = TriggerPrice.LAST
    price_protect: bool = False
    price_match: PriceMatch = PriceMatch.NONE
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    good_till_date_ms: int = 0
    expire_reason: int = 0
    amendments: int = 0

    @property
    def open(self) -> bool:
        """Tell whether the order still works."""
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> Decimal:
        """Return the quantity that is not filled."""
        return self.quantity - self.executed_quantity


@dataclass(frozen=True, slots=True)
class AlgoOrder:
    """A conditional order as GET algoOrder and ALGO_UPDATE tell it.

    `actual_order_id` is 0 until it has triggered. `active` tells whether a trailing one has reached its activation
    price; the others are always.
    """

    account: str
    product: Product
    symbol: str
    pair: str
    algo_id: int
    client_algo_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    position_side: PositionSide
    quantity: Decimal
    price: Decimal
    trigger_price: Decimal
    time_ms: int
    update_time_ms: int
    status: str = "NEW"
    working_type: TriggerPrice = TriggerPrice.LAST
    price_match: PriceMatch = PriceMatch.NONE
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    reduce_only: bool = False
    close_position: bool = False
    price_protect: bool = False
    activation_price: Decimal = ZERO
    callback_rate_percent: Decimal = ZERO
    active: bool = False
    good_till_date_ms: int = 0
    trigger_time_ms: int = 0
    actual_order_id: int = 0
    actual_type: OrderType | None = None
    actual_price: Decimal = ZERO
    actual_quantity: Decimal = ZERO
    message: str = ""

    @property
    def open(self) -> bool:
        """Tell whether the order still waits for its trigger."""
        return self.status == "NEW"


@dataclass(frozen=True, slots=True)
class AccountTrade:
    """A fill as userTrades tells it. `value` is quoteQty (USD-M) or baseQty (COIN-M).

    The commission is positive where paid.
    """

    account: str
    product: Product
    symbol: str
    pair: str
    trade_id: int
    order_id: int
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    value: Decimal
    realised_pnl: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    time_ms: int
    client_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of an order as orderAmendment tells it."""

    amendment_id: int
    symbol: str
    pair: str
    order_id: int
    client_order_id: str
    time_ms: int
    price_before: Decimal
    price_after: Decimal
    quantity_before: Decimal
    quantity_after: Decimal
    count: int
    modify_id: str = ""


@dataclass(frozen=True, slots=True)
class UserEvent:
    """Something that a user data stream tells. `payload` is the wire shape, with `e` and `E`; never change it."""

    account: str
    product: Product
    event_time_ms: int
    kind: str
    payload: Mapping[str, Any] = field(repr=False)
