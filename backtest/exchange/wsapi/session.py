"""The log-on of one connection: afterwards its requests need no key and no signature of their own.

Only Ed25519 keys may log on. Source: Binance, WebSocket API, "Session authentication".
"""

from collections.abc import Mapping
from typing import Any, Final

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.authentication import Credentials, Security, authenticate
from backtest.exchange.rest.keys import ApiKey, KeyRing

METHODS: Final = frozenset({"session.logon", "session.status", "session.logout"})


class Session:
    """Who is logged on, and since when (milliseconds of the exchange's time)."""

    def __init__(self, keys: KeyRing, connected_ms: int) -> None:
        self._keys = keys
        self._connected_ms = connected_ms
        self._since_ms: int | None = None
        self.key: ApiKey | None = None

    def handle(self, method: str, shown: Credentials, sent: Mapping[str, str], now_ms: int) -> dict[str, Any]:
        """Carry out one of the session's methods. Raises `ExchangeError`."""
        if method == "session.logon":
            self._log_on(shown, sent, now_ms)
        elif method == "session.logout":
            self.key = self._since_ms = None
        return {
            "apiKey": self.key.key if self.key else None, "authorizedSince": self._since_ms,
            "connectedSince": self._connected_ms, "returnRateLimits": True, "serverTime": now_ms,
        }

    def _log_on(self, shown: Credentials, sent: Mapping[str, str], now_ms: int) -> None:
        known = self._keys.find(shown.api_key)
        if known is not None and not known.opens_sessions:
            raise ExchangeError(-4056, "Only Ed25519 API keys may log on to a session.")
        self.key = authenticate(self._keys, Security.SIGNED_READ, shown, sent, now_ms)
        self._since_ms = now_ms
