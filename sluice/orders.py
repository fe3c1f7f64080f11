"""The words of the order path, which risk, execution, the simulated venue and the strategies share.

Every enum has the names and numbers of its contract (`sluice.risk.v1`, `sluice.execution.v1`), so that a conversion at
the edge is a look-up. None of them has a member for the contract's zero: what is not specified is `None`, by
`member_of`, so that the type of a value says whether it may be missing. Risk's `Order` may lack any of them, and is
vetoed for it; what execution sends to a venue may not.

This is vocabulary alone. What is wanted, approved or sent is each room's own type; which transitions of a status are
legal is in `execution.state_machine`.
"""

from enum import Enum
from typing import Final, TypeVar

Member = TypeVar("Member", bound=Enum)


class Side(Enum):
    """Which way an order moves the position."""

    BUY = 1
    SELL = 2

    @property
    def sign(self) -> int:
        """Return 1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the side that trades with this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


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


#: Types that state a limit price.
PRICED_TYPES: Final = frozenset({OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT})
#: Types that wait for a stop price.
STOP_TYPES: Final = frozenset(
    {OrderType.STOP, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET})
#: Types that wait for a trigger of any kind.
CONDITIONAL_TYPES: Final = STOP_TYPES | {OrderType.TRAILING_STOP_MARKET}
#: Types that may close the whole position.
CLOSING_TYPES: Final = frozenset({OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET})


class TimeInForce(Enum):
    """How long an order works. GTX is post only, RPI is post only for retail orders."""

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
    """What the venue does where an order would meet one of the same account. NONE is a choice too."""

    NONE = 1
    EXPIRE_TAKER = 2
    EXPIRE_MAKER = 3
    EXPIRE_BOTH = 4


class PriceMatch(Enum):
    """A price relative to the book, in place of a price. NONE says that the order has its own."""

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
    """How an approved order is worked. NONE sends it as it is."""

    NONE = 1
    TWAP = 2
    VWAP = 3
    ICEBERG = 4
    SNIPER = 5


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


_FINAL: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class ReportKind(Enum):
    """What happened to an order."""

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


def member_of(kind: type[Member], number: int) -> Member | None:
    """Return the member with a contract's number; None for 0 (unspecified) and for a number that is not known here."""
    try:
        return kind(number)
    except ValueError:
        return None


def number_of(member: Enum | None) -> int:
    """Return a member's number in the contract; 0 (unspecified) for None."""
    return 0 if member is None else int(member.value)
