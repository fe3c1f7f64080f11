"""User data streams: the events of an account to everybody who opened its listen key.

A key is a name like any stream's, on a private or an unrouted connection or at the host of COIN-M. Events go out in
the order in which the exchange made them. Faults may repeat, lose, hold back or swap them.
"""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

import msgspec

from backtest.exchange.core.domain import Product, UserEvent
from backtest.exchange.rest.listen_keys import ListenKey, ListenKeys
from backtest.exchange.streams.connection import Connection
from backtest.exchange.streams.framing import text_frame, wrapped
from backtest.exchange.streams.hub import Subscriber
from backtest.exchange.streams.names import Route

_ROUTES = (Route.PRIVATE, Route.UNROUTED, Route.COINM)


class EventFaults(Protocol):
    """What may happen to user events on their way."""

    def deliveries(self, event: UserEvent) -> list[UserEvent]:
        """Return what is sent now in place of an event: itself, twice, nothing, or with one that was held back."""
        ...


class NoFaults:
    """Every event goes out once."""

    def deliveries(self, event: UserEvent) -> list[UserEvent]:
        """Return the event."""
        return [event]


class UserData:
    """Who follows which account, and the way of an event to them. `sent` counts events by account."""

    def __init__(self, keys: ListenKeys, now_ms: Callable[[], int], faults: EventFaults | None = None) -> None:
        self._keys = keys
        self._now_ms = now_ms
        self._faults = faults or NoFaults()
        self._followers: dict[tuple[str, Product], dict[tuple[Subscriber, str], frozenset[str]]] = {}
        self._held: dict[Subscriber, list[tuple[tuple[str, Product], str]]] = {}
        self._touched: dict[Connection, None] = {}
        self.sent: Counter[str] = Counter()

    def renew(self, subscriber: Subscriber, events: frozenset[str] = frozenset()) -> None:
        """Take in which keys a connection names now; `events` are the kinds it wants, all where empty."""
        self.remove(subscriber)
        if subscriber.route not in _ROUTES:
            return
        for name in subscriber.subscriptions.names:
            if key := self._keys.find(name, self._now_ms()):
                owner = (key.account, key.product)
                self._followers.setdefault(owner, {})[subscriber, name] = events
                self._held.setdefault(subscriber, []).append((owner, name))

    def remove(self, subscriber: Subscriber) -> None:
        """Forget a connection."""
        for owner, name in self._held.pop(subscriber, []):
            followers = self._followers.get(owner, {})
            followers.pop((subscriber, name), None)
            if not followers:
                self._followers.pop(owner, None)

    def on_event(self, event: UserEvent) -> None:
        """Send an event; it is written by the next `flush`."""
        for each in self._faults.deliveries(event):
            self.deliver(each)

    def deliver(self, event: UserEvent) -> None:
        """Send an event past the faults."""
        followers = self._followers.get((event.account, event.product))
        if not followers:
            return
        data = msgspec.json.encode(event.payload)
        for (subscriber, name), kinds in followers.items():
            if not kinds or event.kind in kinds:
                self._send(subscriber, name, data)
                self.sent[event.account] += 1

    def expire(self, key: ListenKey) -> None:
        """Tell the followers of a key that it has ended; they get nothing more by it."""
        followers = self._followers.get((key.account, key.product), {})
        data = msgspec.json.encode({"e": "listenKeyExpired", "E": self._now_ms(), "listenKey": key.key})
        for subscriber, name in [each for each in followers if each[1] == key.key]:
            self._send(subscriber, name, data)
            self.sent[key.account] += 1
            del followers[subscriber, name]
            self._held[subscriber].remove(((key.account, key.product), name))

    def expire_due(self) -> None:
        """End the keys whose time is over."""
        for key in self._keys.take_expired(self._now_ms()):
            self.expire(key)

    def flush(self) -> None:
        """Write what was sent since the last time."""
        touched, self._touched = self._touched, {}
        for connection in touched:
            connection.flush()

    def _send(self, subscriber: Subscriber, name: str, data: bytes) -> None:
        frame = text_frame(wrapped(name.encode(), data) if subscriber.subscriptions.combined else data)
        subscriber.connection.send(frame)
        self._touched[subscriber.connection] = None
