"""Waiting for a service that is away: what a caller does between a failed call and the next try.

Only calls that may be repeated are repeated. Whether one may is said where it is called; here is only how.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import grpc

from sluice.errors import NotRunningError, SluiceError

Answer = TypeVar("Answer")


class NotYetError(Exception):
    """A service answered, and said that it cannot do it now: another try may succeed."""


#: Codes that say "not now": the service is starting, restarting, or still catching up.
AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """Return the status code of a failed call."""
    return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN


def details_of(error: Exception) -> str:
    """Return the words of a failed call."""
    return (error.details() if isinstance(error, grpc.Call) else str(error)) or ""


def patiently(
    name: str, call: Callable[[], Answer], *, patience_s: float, before_retry: Callable[[], None] = lambda: None
) -> Answer:
    """Call until the service answers.

    `before_retry` runs before every further try, e.g. to tell a restarted service what it must know first. Raises
    `NotRunningError` where `patience_s` runs out, and `SluiceError` on any answer that another try cannot change.
    """
    deadline = time.monotonic() + patience_s
    pause_s = 0.05
    retry = False
    while True:
        try:
            if retry:
                before_retry()
            return call()
        except (grpc.RpcError, NotYetError) as error:
            _raise_where_hopeless(name, error)
            if time.monotonic() > deadline:
                raise NotRunningError(
                    f"{name} must answer within {patience_s:.0f} s, and did not: {details_of(error)}",
                    fix="see whether it runs: sluice status") from error
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 1.0)
        retry = True


def _raise_where_hopeless(name: str, error: Exception) -> None:
    if isinstance(error, grpc.RpcError) and code_of(error) not in AWAY:
        raise SluiceError(f"{name} refused the call: {details_of(error)}") from error
