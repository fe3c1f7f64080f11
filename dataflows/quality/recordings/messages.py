"""What a gate's reason says of an event, with the numbers that led to it."""

import math
from datetime import UTC, datetime
from typing import NamedTuple

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.state import reasons_of

_SECOND_NS = 1_000_000_000


class Facts(NamedTuple):
    """What an event says. 0 is a time or id that it does not have, NaN a price."""

    receive_time_ns: int
    event_time_ns: int = 0
    transaction_time_ns: int = 0
    event_id: int = 0
    price: float = math.nan
    quantity: float = math.nan
    ask: float = math.nan
    since_ns: int = 0


def told_time(time_ns: int) -> str:
    """Return a time in UTC to the microsecond, or the number where no calendar has it."""
    if not 0 <= time_ns < 2**62:
        return str(time_ns)
    moment = datetime.fromtimestamp(time_ns // _SECOND_NS, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % _SECOND_NS // 1_000:06d}Z"


def told(bits: int, facts: Facts) -> list[tuple[Reason, str]]:
    """Return each reason of a gate's answer with its sentence."""
    return [(reason, _sentence(reason, facts)) for reason in reasons_of(bits)] if bits else []


def _sentence(reason: Reason, facts: Facts) -> str:
    if reason in _TIMES:
        delay_ms = (facts.receive_time_ns - facts.event_time_ns) / 1e6
        return _TIMES[reason].format(
            event=told_time(facts.event_time_ns), transaction=told_time(facts.transaction_time_ns),
            received=told_time(facts.receive_time_ns), silence=f"{(facts.receive_time_ns - facts.since_ns) / 1e9:,.3f}",
            delay=f"{delay_ms:,.3f} ms", lead=f"{-delay_ms:,.3f} ms")
    return _OTHERS[reason].format(id=facts.event_id, price=facts.price, quantity=facts.quantity, ask=facts.ask)


_TIMES = {
    Reason.INVALID_TIME: "event and transaction time must be within a day of the receive time ({received}), were "
                         "{event} and {transaction}",
    Reason.EVENT_TIME_REVERSED: "an event time must not be before the last one, was {event}",
    Reason.TRANSACTION_TIME_REVERSED: "a transaction time must not be before the last one, was {transaction}",
    Reason.EVENT_FROM_FUTURE: "an event time must not be after its receive time ({received}), was {lead} after it",
    Reason.LATE_RECEIPT: "an event must be received within 1 s, was received after {delay}",
    Reason.STALE_STREAM: "a stream must not be silent for long, was for {silence} s until {received}",
}
_OTHERS = {
    Reason.INVALID_PRICE: "price must be positive and finite, was {price}",
    Reason.INVALID_QUANTITY: "quantity must be positive and finite, was {quantity}",
    Reason.FAR_PRICE: "a trade must be near the market, was at {price}",
    Reason.EMPTY_TRADE: "a trade must have a quantity, was of {quantity} at {price}",
    Reason.OUTLIER: "size and step of a trade must not be far beyond those before, was {quantity} at {price}",
    Reason.DUPLICATE_ID: "an id must be new, was {id} again",
    Reason.MISSING_IDS: "ids must go on one by one, was {id} next",
    Reason.ID_REVERSED: "an id must be above the last one, was {id}",
    Reason.CROSSED_BOOK: "the best bid must be below the best ask ({ask}), was {price}",
    Reason.LOCKED_BOOK: "the best bid must be below the best ask, was equal to it: {price}",
}
