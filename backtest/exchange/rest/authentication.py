"""Who asks: key, signature and time of a request, judged in the order in which the venue refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from backtest.exchange.rest.keys import ApiKey, KeyRing, Permission
from backtest.exchange.rest.parameters import Kind, Parameter
from backtest.exchange.rest.refusals import refusal, too_far_ahead

DEFAULT_RECEIVE_WINDOW_MS: Final = 5000
_LONGEST_RECEIVE_WINDOW_MS: Final = 60_000
#: A timestamp may lie this far in the future.
_AHEAD_MS: Final = 1000
_KEY_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_TIMESTAMP: Final = Parameter("timestamp", Kind.INTEGER, mandatory=True)
_RECEIVE_WINDOW: Final = Parameter("recvWindow", Kind.INTEGER)


class Security(Enum):
    """What a route asks of its caller: nothing, a key, or a key with a signature and a permission."""

    NONE = "none"
    KEY = "key"
    SIGNED_READ = "signed, may read"
    SIGNED_TRADE = "signed, may trade"

    @property
    def signed(self) -> bool:
        """Tell whether a signature and a timestamp are needed."""
        return self in {Security.SIGNED_READ, Security.SIGNED_TRADE}

    @property
    def permission(self) -> Permission | None:
        """Return what the key must allow, None for a public route."""
        if self is Security.NONE:
            return None
        return Permission.TRADE if self is Security.SIGNED_TRADE else Permission.READ


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows: its key, and the bytes that it signed.

    `session` is the key of a WebSocket that has logged on; such requests need no signature.
    """

    api_key: str
    payload: bytes
    session: ApiKey | None = None


def authenticate(
    keys: KeyRing, security: Security, shown: Credentials, parameters: Mapping[str, str], now_ms: int,
) -> ApiKey | None:
    """Return the key of a request, None for a public route.

    Raises `ExchangeError`: -2014 and -2015 for the key, -1102 for what is missing, -1022 for the signature, -1021 for
    the time (accepted: timestamp < now + 1000 and now - timestamp <= recvWindow).
    """
    if security is Security.NONE:
        return None
    key = shown.session or _known(keys, shown.api_key)
    if security.permission not in key.permissions:
        raise refusal(-2015, 401)
    if security.signed:
        if shown.session is None:
            _check_signature(key, shown, parameters)
        check_time(parameters, now_ms, required=shown.session is None)
    return key


def _known(keys: KeyRing, text: str) -> ApiKey:
    if not text or len(text) > 128 or not _KEY_LETTERS.issuperset(text):
        raise refusal(-2014, 401)
    if (key := keys.find(text)) is None:
        raise refusal(-2015, 401)
    return key


def _check_signature(key: ApiKey, shown: Credentials, parameters: Mapping[str, str]) -> None:
    for name in ("timestamp", "signature"):
        if not parameters.get(name):
            raise refusal(-1102, parameter=name)
    if not key.verifier.fits(shown.payload, parameters["signature"]):
        raise refusal(-1022)


def check_time(parameters: Mapping[str, str], now_ms: int, *, required: bool = True) -> int | None:
    """Return a request's timestamp if it is within its window. Raises `ExchangeError` -1021, -1102, -1100, -1131."""
    if not parameters.get("timestamp"):
        if required:
            raise refusal(-1102, parameter="timestamp")
        return None
    timestamp = int(_TIMESTAMP.read(parameters["timestamp"]))
    window = int(_RECEIVE_WINDOW.read(parameters.get("recvWindow") or str(DEFAULT_RECEIVE_WINDOW_MS)))
    if window > _LONGEST_RECEIVE_WINDOW_MS:
        raise refusal(-1131)
    if timestamp >= now_ms + _AHEAD_MS:
        raise too_far_ahead()
    if now_ms - timestamp > window:
        raise refusal(-1021)
    return timestamp
