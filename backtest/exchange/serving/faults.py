"""Faults on request: what shall go wrong, for which requests or events, and how often. Pure.

A fault waits until something fits it, skips `skip` of those, happens `times` times (0: until it is taken back) and is
gone. They are asked for over `/sluice/v1/faults`; an exchange without faults never looks at one.
"""

from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.staging import MOST_PARTS


class FaultKind(Enum):
    """What goes wrong."""

    DELAY = "delay"
    DELAY_ANSWER = "delay_answer"
    DROP = "drop"
    DROP_ANSWER = "drop_answer"
    UNKNOWN_EXECUTED = "unknown_executed"
    UNKNOWN_NOT_EXECUTED = "unknown_not_executed"
    SERVICE_UNAVAILABLE = "service_unavailable"
    INTERNAL_ERROR = "internal_error"
    THROTTLED = "throttled"
    TIMEOUT_EXECUTED = "timeout_executed"
    TIMEOUT_NOT_EXECUTED = "timeout_not_executed"
    TOO_MANY_REQUESTS = "too_many_requests"
    BANNED = "banned"
    DUPLICATE_USER_EVENTS = "duplicate_user_events"
    DROP_USER_EVENTS = "drop_user_events"
    DELAY_USER_EVENTS = "delay_user_events"
    REORDER_USER_EVENTS = "reorder_user_events"
    DEPTH_GAP = "depth_gap"
    DEPTH_WRONG_PU = "depth_wrong_pu"
    STAGED_FILLS = "staged_fills"
    CLOCK_OFFSET = "clock_offset"
    DISCONNECT = "disconnect"
    EXPIRE_LISTEN_KEYS = "expire_listen_keys"


#: What each kind does, for its page.
MEANINGS: Final = {
    FaultKind.DELAY: "a request waits for `milliseconds` before it acts",
    FaultKind.DELAY_ANSWER: "a request acts and its answer waits for `milliseconds`",
    FaultKind.DROP: "the connection is cut before a request acts",
    FaultKind.DROP_ANSWER: "a request acts and the connection is cut before its answer",
    FaultKind.UNKNOWN_EXECUTED: "503, execution unknown, and the request has acted",
    FaultKind.UNKNOWN_NOT_EXECUTED: "503, execution unknown, and the request has not acted",
    FaultKind.SERVICE_UNAVAILABLE: "503 Service Unavailable; nothing is done",
    FaultKind.INTERNAL_ERROR: "503 with -1001; nothing is done",
    FaultKind.THROTTLED: "503 with -1008, except for orders that reduce and for cancels; nothing is done",
    FaultKind.TIMEOUT_EXECUTED: "408 with -1007, and the request has acted",
    FaultKind.TIMEOUT_NOT_EXECUTED: "408 with -1007, and the request has not acted",
    FaultKind.TOO_MANY_REQUESTS: "429 with Retry-After of `milliseconds`",
    FaultKind.BANNED: "418 with Retry-After of `milliseconds`",
    FaultKind.DUPLICATE_USER_EVENTS: "a user event comes twice",
    FaultKind.DROP_USER_EVENTS: "a user event never comes",
    FaultKind.DELAY_USER_EVENTS: "a user event comes `milliseconds` later",
    FaultKind.REORDER_USER_EVENTS: "a user event comes after the account's next one, or after `milliseconds` (1000)",
    FaultKind.DEPTH_GAP: "a difference of the book is sent to nobody",
    FaultKind.DEPTH_WRONG_PU: "a difference of the book names a previous message (`pu`) that there is not",
    FaultKind.STAGED_FILLS: "an order is answered first; its fill comes in `parts` pieces afterwards, each "
                            "`milliseconds` after the one before; happens to the next `times` fills of `account`, all "
                            "where 0, until faults are taken back",
    FaultKind.CLOCK_OFFSET: "the exchange's clock is wrong by `milliseconds` until faults are taken back",
    FaultKind.DISCONNECT: "stream connections of `sockets` are cut, at once",
    FaultKind.EXPIRE_LISTEN_KEYS: "the listen keys of `account` end, at once",
}

#: Faults of a request before it acts, and after it has.
BEFORE: Final = frozenset({
    FaultKind.DELAY, FaultKind.DROP, FaultKind.UNKNOWN_NOT_EXECUTED, FaultKind.SERVICE_UNAVAILABLE,
    FaultKind.INTERNAL_ERROR, FaultKind.THROTTLED, FaultKind.TIMEOUT_NOT_EXECUTED, FaultKind.TOO_MANY_REQUESTS,
    FaultKind.BANNED})
AFTER: Final = frozenset({
    FaultKind.DELAY_ANSWER, FaultKind.DROP_ANSWER, FaultKind.UNKNOWN_EXECUTED, FaultKind.TIMEOUT_EXECUTED})
USER_EVENTS: Final = frozenset({
    FaultKind.DUPLICATE_USER_EVENTS, FaultKind.DROP_USER_EVENTS, FaultKind.DELAY_USER_EVENTS,
    FaultKind.REORDER_USER_EVENTS})
#: Faults that happen at once and wait for nothing; staged fills are the exchange's own matter from then on.
IMMEDIATE: Final = frozenset({FaultKind.DISCONNECT, FaultKind.EXPIRE_LISTEN_KEYS, FaultKind.STAGED_FILLS})

_UNKNOWN: Final = "Unknown error, please check your request or try again later."
_TIMEOUT: Final = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
_THROTTLED: Final = ("Request throttled by system-level protection. Reduce-only/close-position orders are exempt. "
                     "Please try again.")
#: Code, text and HTTP status of the faults that are answers.
_ANSWERS: Final[dict[FaultKind, tuple[int, str, int]]] = {
    FaultKind.UNKNOWN_EXECUTED: (-1000, _UNKNOWN, 503),
    FaultKind.UNKNOWN_NOT_EXECUTED: (-1000, _UNKNOWN, 503),
    FaultKind.SERVICE_UNAVAILABLE: (-1000, "Service Unavailable.", 503),
    FaultKind.INTERNAL_ERROR: (-1001, "Internal error; unable to process your request. Please try again.", 503),
    FaultKind.THROTTLED: (-1008, _THROTTLED, 503),
    FaultKind.TIMEOUT_EXECUTED: (-1007, _TIMEOUT, 408),
    FaultKind.TIMEOUT_NOT_EXECUTED: (-1007, _TIMEOUT, 408),
    FaultKind.TOO_MANY_REQUESTS: (-1003, "Too many requests; current limit is 2400 requests per minute.", 429),
    FaultKind.BANNED: (-1003, "Way too many requests; IP banned until {until}.", 418),
}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault. What is empty fits everything.

    `operation` is the beginning of a request's name (`POST order`), `event` a user event's kind, `symbol` a symbol,
    `account` an account. `milliseconds` is the length of a delay, the offset of the clock, or what Retry-After says.
    `sockets` names the route of connections to cut: public, market, private, unrouted. `parts` is the number of pieces
    of staged fills, each `milliseconds` of exchange time after the one before.
    """

    kind: FaultKind
    operation: Annotated[str, Meta(max_length=64)] = ""
    symbol: Annotated[str, Meta(max_length=64)] = ""
    account: Annotated[str, Meta(max_length=64)] = ""
    event: Annotated[str, Meta(max_length=64)] = ""
    sockets: Annotated[str, Meta(max_length=16)] = ""
    milliseconds: Annotated[int, Meta(ge=-86_400_000, le=86_400_000)] = 0
    times: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    skip: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    parts: Annotated[int, Meta(ge=1, le=MOST_PARTS)] = 2


class WaitingFault(msgspec.Struct):
    """A fault that waits for its turn, and how often it has happened."""

    id: int
    fault: Fault
    skipped: int = 0
    happened: int = 0

    @property
    def over(self) -> bool:
        """Tell whether it has happened as often as it may."""
        return 0 < self.fault.times <= self.happened


class FaultPlan:
    """The faults that wait, in the order in which they were asked for; the first that fits happens."""

    def __init__(self) -> None:
        self._waiting: list[WaitingFault] = []
        self._ids = count(1)
        self.happened = 0

    def add(self, fault: Fault) -> WaitingFault:
        """Let a fault wait."""
        made = WaitingFault(next(self._ids), fault)
        self._waiting.append(made)
        return made

    def clear(self) -> None:
        """Take all faults back."""
        self._waiting.clear()

    def __iter__(self) -> Iterator[WaitingFault]:
        return iter(tuple(self._waiting))

    def take(
        self, kinds: frozenset[FaultKind], *, operation: str = "", symbol: str = "", account: str = "", event: str = "",
    ) -> Fault | None:
        """Return the first fault of these kinds that fits what happens now and is due, and count it."""
        for waiting in self._waiting:
            fault = waiting.fault
            if fault.kind in kinds and _fits(fault, operation, symbol, account, event):
                if waiting.skipped < fault.skip:
                    waiting.skipped += 1
                    continue
                waiting.happened += 1
                self.happened += 1
                if waiting.over:
                    self._waiting.remove(waiting)
                return fault
        return None

    def clock_offset_ms(self) -> int:
        """Return how far the exchange's clock is put wrong in what it tells."""
        return sum(each.fault.milliseconds for each in self._waiting if each.fault.kind is FaultKind.CLOCK_OFFSET)


def _fits(fault: Fault, operation: str, symbol: str, account: str, event: str) -> bool:
    return (operation.startswith(fault.operation) and fault.symbol in ("", symbol) and fault.account in ("", account)
            and fault.event in ("", event))


def error_of(fault: Fault, now_ms: int) -> ExchangeError:
    """Return the answer that a fault is."""
    code, text, status = _ANSWERS[fault.kind]
    return ExchangeError(code, text.format(until=now_ms + fault.milliseconds), status)
