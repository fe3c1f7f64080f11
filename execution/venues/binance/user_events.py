"""The user stream's messages: what they say about orders, and what else a person should hear of.

Unknown events and unknown fields are let through; a known event that cannot be read raises, because it may be a fill.
Source: Binance, futures user data streams.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from sluice.errors import InputError


class UserEventKind(Enum):
    """What the venue does with a message."""

    ORDER = 1
    CONDITIONAL_ORDER = 2
    KEY_EXPIRED = 3
    MARGIN_CALL = 4
    #: Something that execution needs not, such as trades that ORDER tells as well.
    OTHER = 5
    ACCOUNT = 6
    SETTINGS = 7


class OrderUpdate(msgspec.Struct):
    """The `o` of ORDER_TRADE_UPDATE."""

    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    execution: str = msgspec.field(name="x")
    status: str = msgspec.field(name="X")
    order_id: int = msgspec.field(name="i")
    last_quantity: Decimal = msgspec.field(name="l", default=Decimal(0))
    filled_quantity: Decimal = msgspec.field(name="z", default=Decimal(0))
    last_price: Decimal = msgspec.field(name="L", default=Decimal(0))
    fee_asset: str | None = msgspec.field(name="N", default=None)
    fee: Decimal | None = msgspec.field(name="n", default=None)
    trade_time_ms: int = msgspec.field(name="T", default=0)
    trade_id: int = msgspec.field(name="t", default=0)
    maker: bool = msgspec.field(name="m", default=False)
    expiry_reason: str | int = msgspec.field(name="er", default="")


class ConditionalUpdate(msgspec.Struct):
    """The `o` of ALGO_UPDATE. `order_id` is the order that it became, empty before its trigger."""

    client_algo_id: str = msgspec.field(name="caid")
    algo_id: int = msgspec.field(name="aid")
    symbol: str = msgspec.field(name="s")
    status: str = msgspec.field(name="X")
    order_id: str | int = msgspec.field(name="ai", default="")
    message: str = msgspec.field(name="rm", default="")


class BalanceChange(msgspec.Struct):
    """A balance of ACCOUNT_UPDATE: `change` leaves out what trades and their fees did."""

    asset: str = msgspec.field(name="a", default="")
    change: Decimal = msgspec.field(name="bc", default=Decimal(0))


class AccountUpdate(msgspec.Struct):
    """The `a` of ACCOUNT_UPDATE."""

    reason: str = msgspec.field(name="m", default="")
    balances: list[BalanceChange] = msgspec.field(name="B", default_factory=list)


@dataclass(frozen=True, slots=True)
class UserEvent:
    """A message of the user stream. `order` or `conditional` is set where its kind says so; time in milliseconds."""

    kind: UserEventKind
    name: str
    event_time_ms: int
    transaction_time_ms: int = 0
    order: OrderUpdate | None = None
    conditional: ConditionalUpdate | None = None
    account: AccountUpdate | None = None


class _Header(msgspec.Struct):
    name: str = msgspec.field(name="e")
    event_time_ms: int = msgspec.field(name="E", default=0)
    transaction_time_ms: int = msgspec.field(name="T", default=0)


class _Order(msgspec.Struct):
    o: OrderUpdate


class _Conditional(msgspec.Struct):
    o: ConditionalUpdate


class _Account(msgspec.Struct):
    a: AccountUpdate = msgspec.field(default_factory=AccountUpdate)


class _Wrapped(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"")


_KINDS: Final = {
    "ORDER_TRADE_UPDATE": UserEventKind.ORDER, "ALGO_UPDATE": UserEventKind.CONDITIONAL_ORDER,
    "listenKeyExpired": UserEventKind.KEY_EXPIRED, "MARGIN_CALL": UserEventKind.MARGIN_CALL,
    "ACCOUNT_UPDATE": UserEventKind.ACCOUNT, "ACCOUNT_CONFIG_UPDATE": UserEventKind.SETTINGS}
#: Client order ids of orders that the exchange makes: liquidation, deleveraging, settlement, delivery.
_EXCHANGE_MADE: Final = ("autoclose-", "adl_autoclose", "settlement_autoclose-", "delivery_autoclose-")


def read_user_event(payload: bytes) -> UserEvent:
    """Return a message, also one that is wrapped as combined streams are. Raises `InputError` where it is none."""
    try:
        wrapped = msgspec.json.decode(payload, type=_Wrapped).data
        return _read(bytes(wrapped) or payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"a user event must be readable, was not: {error} in {payload[:200]!r}") from None


def exchange_made(client_order_id: str) -> bool:
    """Tell whether the exchange made an order by itself."""
    return client_order_id.startswith(_EXCHANGE_MADE)


def _read(payload: bytes) -> UserEvent:
    header = msgspec.json.decode(payload, type=_Header)
    kind = _KINDS.get(header.name, UserEventKind.OTHER)
    order = msgspec.json.decode(payload, type=_Order).o if kind is UserEventKind.ORDER else None
    conditional = (msgspec.json.decode(payload, type=_Conditional).o
                   if kind is UserEventKind.CONDITIONAL_ORDER else None)
    account = msgspec.json.decode(payload, type=_Account).a if kind is UserEventKind.ACCOUNT else None
    return UserEvent(kind, header.name, header.event_time_ms, header.transaction_time_ms, order, conditional, account)
