"""What an answer says about a request: done, refused, never carried out, or unknown.

Only what is proven counts as an end: an answer is a refusal, or not carried out, where the tables below name it or the
exchange answered with a code of its own and a client error. Everything else (timeouts, 5xx, bodies that are no answer
of the exchange's) is UNKNOWN: the request may have been carried out. Source: Binance, futures error codes and the
general information on HTTP 503.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from execution.venues.interface import VenueOutcomeUnknown


class Verdict(Enum):
    """What became of a request."""

    DONE = 1
    #: The exchange looked at the request and said no.
    REFUSED = 2
    #: The request was not carried out, for a reason that lies not in it: limits, overload, a clock.
    NOT_CARRIED_OUT = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with the exchange's words. `code` is 0 where it gave none."""

    verdict: Verdict
    code: int = 0
    message: str = ""
    status: int = 0

    @property
    def text(self) -> str:
        """Return code and message as reports carry them."""
        return f"{self.code} {self.message}" if self.code else self.message or f"HTTP {self.status}"


class RequestFailed(Exception):  # noqa: N818  # an answer of the exchange, not a failure of ours
    """The request was refused or never carried out, for certain."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


TIMESTAMP_REFUSED: Final = frozenset({-1021, -5028})
UNKNOWN_ORDER: Final = frozenset({-2011})
NO_SUCH_ORDER: Final = frozenset({-2013})
#: An account has placed too many orders; cancels and questions are not counted there.
TOO_MANY_ORDERS: Final = frozenset({-1015})
NO_SUCH_STREAM_KEY: Final = frozenset({-1125})
#: Limits and overload: the request ended before it reached an order book.
_NOT_CARRIED_OUT: Final = frozenset({-1003, -1008, -1015}) | TIMESTAMP_REFUSED
#: -1000 unknown error, -1001 disconnected, -1006 and -1007 no answer of the backend, -4116 an open order has this
#: client id, which can only be ours.
_DOUBTFUL: Final = frozenset({-1000, -1001, -1006, -1007, -4116})
#: HTTP 503 bodies that Binance documents as a failure, by how they begin.
_FAILED_TEXTS: Final = ("Service Unavailable.", "Internal error; unable to process your request. Please try again.")
_LIMITED: Final = frozenset({418, 429})
#: A web application firewall answers with a page of its own before the exchange has seen anything.
_FIREWALL: Final = 403


class ErrorBody(msgspec.Struct):
    """The exchange's own error: a negative code and a text."""

    code: int
    msg: str


def judge(status: int, body: bytes) -> Outcome:
    """Return what an HTTP answer, or one of the WebSocket order API in its terms, says about the request."""
    if 200 <= status < 300:
        return Outcome(Verdict.DONE if _is_json(body) else Verdict.UNKNOWN, status=status, message="an answer unread")
    error = _error_of(body)
    text = error.msg if error else body[:200].decode("utf-8", "replace").strip()
    return Outcome(_verdict(status, error, text), error.code if error else 0, text, status)


def require_done(outcome: Outcome) -> None:
    """Return for DONE. Raises `RequestFailed` for a certain failure and `VenueOutcomeUnknown` for the rest."""
    if outcome.verdict is Verdict.UNKNOWN:
        raise VenueOutcomeUnknown(outcome.text)
    if outcome.verdict is not Verdict.DONE:
        raise RequestFailed(outcome)


def _verdict(status: int, error: ErrorBody | None, text: str) -> Verdict:
    if status in _LIMITED:
        return Verdict.NOT_CARRIED_OUT
    if error is None:
        plain = status == _FIREWALL or (status == 503 and text.startswith(_FAILED_TEXTS))
        return Verdict.NOT_CARRIED_OUT if plain else Verdict.UNKNOWN
    if status == 503 and text.startswith(_FAILED_TEXTS):
        return Verdict.NOT_CARRIED_OUT
    if error.code in _NOT_CARRIED_OUT:
        return Verdict.NOT_CARRIED_OUT
    if error.code in _DOUBTFUL or error.code >= 0:
        return Verdict.UNKNOWN
    return Verdict.REFUSED if 400 <= status < 500 and status != 408 else Verdict.UNKNOWN


def _error_of(body: bytes) -> ErrorBody | None:
    try:
        return msgspec.json.decode(body, type=ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True
