"""The API keys that the exchange knows: whose account a key opens and what it may do there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from backtest.exchange.rest.signatures import PublicKeyVerifier, Verifier


class Permission(Enum):
    """What a key may do. Reading includes user data streams."""

    READ = "read"
    TRADE = "trade"


ALL_PERMISSIONS: Final = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an account."""

    key: str
    account: str
    verifier: Verifier
    permissions: frozenset[Permission] = ALL_PERMISSIONS

    @property
    def opens_sessions(self) -> bool:
        """Tell whether the key may log on to a WebSocket session."""
        return isinstance(self.verifier, PublicKeyVerifier) and self.verifier.opens_sessions


class KeyRing:
    """All known keys, by their text."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._by_key = {key.key: key for key in keys}

    def find(self, key: str) -> ApiKey | None:
        """Return the key of a text, or None."""
        return self._by_key.get(key)

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(self._by_key.values())
