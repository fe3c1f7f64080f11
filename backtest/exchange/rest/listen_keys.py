"""The keys that open user data streams: made by REST or the WebSocket API, asked for by the streams.

A key lives 60 minutes after it was made or last extended. An account has one key for each product; making another
returns the living one and extends it. Source: Binance, "User Data Streams".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from backtest.exchange.core.domain import Product

LIFE_MS: Final = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class ListenKey:
    """A key, whose events it shows, and when it ends (exchange time in milliseconds)."""

    key: str
    account: str
    product: Product
    expires_ms: int


class ListenKeys:
    """All living keys. `new_key` returns a fresh text of 64 letters and digits; it is the only source of randomness."""

    def __init__(self, new_key: Callable[[], str]) -> None:
        self._new_key = new_key
        self._by_key: dict[str, ListenKey] = {}
        self._by_owner: dict[tuple[str, Product], str] = {}

    def create(self, account: str, product: Product, now_ms: int) -> ListenKey:
        """Return the account's living key, extended, or a new one."""
        if (extended := self.extend(account, product, now_ms)) is not None:
            return extended
        made = ListenKey(self._new_key(), account, product, now_ms + LIFE_MS)
        self._by_key[made.key] = made
        self._by_owner[account, product] = made.key
        return made

    def extend(self, account: str, product: Product, now_ms: int) -> ListenKey | None:
        """Let the account's key live 60 more minutes and return it; None where it has none (Binance: -1125)."""
        found = self.find(self._by_owner.get((account, product), ""), now_ms)
        if found is None:
            return None
        self._by_key[found.key] = extended = replace(found, expires_ms=now_ms + LIFE_MS)
        return extended

    def close(self, account: str, product: Product) -> ListenKey | None:
        """End the account's key and return it; None where it has none."""
        return self._by_key.pop(self._by_owner.pop((account, product), ""), None)

    def find(self, key: str, now_ms: int) -> ListenKey | None:
        """Return the living key of a text, or None."""
        found = self._by_key.get(key)
        return found if found is not None and now_ms < found.expires_ms else None

    def take_expired(self, now_ms: int) -> list[ListenKey]:
        """Forget the keys whose time is over and return them, so that their streams can be told and closed."""
        over = [key for key in self if key.expires_ms <= now_ms]
        for key in over:
            del self._by_key[key.key]
            self._by_owner.pop((key.account, key.product), None)
        return over

    def expire(self, key: str) -> ListenKey | None:
        """End a key now, as a fault, and return it; None where it is not living."""
        found = self._by_key.pop(key, None)
        if found is not None:
            self._by_owner.pop((found.account, found.product), None)
        return found

    def __iter__(self) -> Iterator[ListenKey]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
