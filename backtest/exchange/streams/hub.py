"""The hub: which connection wants which stream, and the way of a message to all of them.

Connections keep the order in which they subscribed, so that the same messages always go out in the same order.
"""

from collections.abc import Iterable

from backtest.exchange.streams.connection import Connection
from backtest.exchange.streams.control import Subscriptions
from backtest.exchange.streams.framing import text_frame, wrapped
from backtest.exchange.streams.names import Route, Stream, parse_stream


class Subscriber:
    """A market connection: what it is subscribed to, by which route it came, and the client behind it."""

    def __init__(self, connection: Connection, subscriptions: Subscriptions, route: Route) -> None:
        self.connection = connection
        self.subscriptions = subscriptions
        self.route = route
        self._delivered: frozenset[str] = frozenset()

    def wants(self, name: str) -> bool:
        """Tell whether a stream is delivered, as of the last time that the hub took the connection in."""
        return name in self._delivered

    def take_in(self, names: frozenset[str]) -> None:
        """Remember which streams are delivered."""
        self._delivered = names

    def streams(self) -> dict[str, Stream]:
        """Return by name the streams that are really delivered: known ones that this route carries."""
        return {name: stream for name in self.subscriptions.names
                if (stream := parse_stream(name)) and stream.delivered_on(self.route)}


class Hub:
    """Streams and their subscribers."""

    def __init__(self) -> None:
        self._subscribers: dict[str, dict[Subscriber, None]] = {}
        self._streams: dict[str, Stream] = {}
        self._named: dict[Subscriber, frozenset[str]] = {}
        self._touched: dict[Connection, None] = {}
        self.version = 0
        self.sent = 0

    @property
    def connections(self) -> Iterable[Connection]:
        """Return every connection."""
        return [subscriber.connection for subscriber in self._named]

    def streams(self) -> Iterable[Stream]:
        """Return every stream that somebody listens to."""
        return self._streams.values()

    def wanted(self, name: str) -> bool:
        """Tell whether anybody listens to a stream."""
        return name in self._subscribers

    def renew(self, subscriber: Subscriber) -> None:
        """Take a connection in, or what has changed in its subscriptions."""
        before, streams = self._named.get(subscriber, frozenset()), subscriber.streams()
        for name in before - streams.keys():
            self._drop(name, subscriber)
        for name, stream in streams.items():
            self._streams.setdefault(name, stream)
            self._subscribers.setdefault(name, {})[subscriber] = None
        self._named[subscriber] = frozenset(streams)
        subscriber.take_in(self._named[subscriber])
        self.version += 1

    def remove(self, subscriber: Subscriber) -> None:
        """Forget a connection."""
        for name in self._named.pop(subscriber, frozenset()):
            self._drop(name, subscriber)
        self._touched.pop(subscriber.connection, None)
        self.version += 1

    def _drop(self, name: str, subscriber: Subscriber) -> None:
        left = self._subscribers[name]
        left.pop(subscriber, None)
        if not left:
            del self._subscribers[name], self._streams[name]

    def publish(self, name: str, data: bytes) -> None:
        """Send an event to everybody who listens to a stream; it is written by the next `flush`."""
        subscribers = self._subscribers.get(name)
        if subscribers is None:
            return
        plain = envelope = b""
        for subscriber in subscribers:
            if subscriber.subscriptions.combined:
                frame = envelope = envelope or text_frame(wrapped(name.encode(), data))
            else:
                frame = plain = plain or text_frame(data)
            subscriber.connection.send(frame)
            self._touched[subscriber.connection] = None
        self.sent += len(subscribers)

    def flush(self) -> None:
        """Write what was published since the last time."""
        touched, self._touched = self._touched, {}
        for connection in touched:
            connection.flush()

    def most_unsent_bytes(self) -> int:
        """Return how far the slowest reader is behind."""
        return max((each.unsent_bytes for each in self.connections if each.closing is None), default=0)
