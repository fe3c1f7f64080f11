"""Connections: what may wait, and how long they live."""

from backtest.exchange.streams.connection import GOING_AWAY, POLICY_VIOLATION, Connection, Lifetime
from backtest.exchange.streams.control import Subscriptions
from backtest.exchange.streams.framing import text_frame, wrapped
from backtest.exchange.streams.hub import Hub, Subscriber
from backtest.exchange.streams.names import Route


class Wire:
    """A transport that takes nothing off its hands until it is told to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written))

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def test_what_is_published_between_two_flushes_is_one_write() -> None:
    wire = Wire()
    connection = Connection(wire, 0.0)
    connection.send(b"a")
    connection.send(b"b")
    connection.flush()
    connection.flush()
    assert wire.written == [b"ab"]


def test_a_reader_that_does_not_read_is_cut_off_and_forgotten() -> None:
    wire = Wire()
    connection = Connection(wire, 0.0, most_unsent_bytes=1000)
    for _ in range(200):
        connection.send(b"x" * 100)
        connection.flush()
    assert connection.closing is not None
    assert connection.closing[0] == POLICY_VIOLATION
    assert connection.unsent_bytes <= 1200


def test_one_burst_beyond_the_bound_cuts_off_too() -> None:
    connection = Connection(Wire(), 0.0, most_unsent_bytes=1000)
    for _ in range(100):
        connection.send(b"x" * 100)
    assert connection.closing is not None
    assert connection.unsent_bytes == 0


def test_pings_are_sent_and_who_never_answers_is_cut_off() -> None:
    wire, lifetime = Wire(), Lifetime()
    connection = Connection(wire, 0.0)
    connection.keep_alive(179.0, lifetime, b"1")
    connection.flush()
    assert not wire.written
    connection.keep_alive(180.0, lifetime, b"1")
    connection.flush()
    assert wire.written == [b"\x89\x011"]
    connection.keep_alive(599.0, lifetime, b"1")
    assert connection.closing is None
    connection.keep_alive(600.0, lifetime, b"1")
    assert connection.closing is not None


def test_who_answers_lives_for_a_day() -> None:
    connection, lifetime = Connection(Wire(), 0.0), Lifetime()
    for now_s in range(0, 86_400, 60):
        connection.keep_alive(now_s, lifetime, b"1")
        connection.ponged(now_s + 1)
    assert connection.closing is None
    connection.keep_alive(86_400, lifetime, b"1")
    assert connection.closing is not None
    assert connection.closing[0] == GOING_AWAY


def test_every_reader_of_a_stream_gets_the_same_bytes_and_envelopes_are_a_choice() -> None:
    hub, wires = Hub(), [Wire(), Wire(), Wire()]
    routes = (Route.PUBLIC, Route.PUBLIC, Route.MARKET)
    for wire, combined, route in zip(wires, (False, True, False), routes, strict=True):
        hub.renew(Subscriber(Connection(wire, 0.0), Subscriptions(combined, ("x@bookTicker",)), route))
    hub.publish("x@bookTicker", b"{}")
    hub.publish("y@bookTicker", b"{}")
    hub.flush()
    assert wires[0].written == [text_frame(b"{}")]
    assert wires[1].written == [text_frame(wrapped(b"x@bookTicker", b"{}"))]
    assert not wires[2].written


def test_a_connection_that_has_gone_gets_nothing_and_leaves_nothing() -> None:
    hub, wire = Hub(), Wire()
    subscriber = Subscriber(Connection(wire, 0.0), Subscriptions(False, ("x@bookTicker",)), Route.PUBLIC)
    hub.renew(subscriber)
    assert hub.wanted("x@bookTicker")
    hub.remove(subscriber)
    assert not hub.wanted("x@bookTicker")
    assert not list(hub.streams())
    assert not list(hub.connections)
