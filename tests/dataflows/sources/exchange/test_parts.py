"""The parts of a feed that need no socket: pauses, budgets, guards, markers, and the queue between two threads."""

import threading
import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.book.order_book import OrderBook
from dataflows.deadletters import DeadLetter
from dataflows.sources.exchange.backoff import Backoff
from dataflows.sources.exchange.book_guard import BookGuard, DepthHead, read_head
from dataflows.sources.exchange.clock import Marker, MonotoneClock, read_marker
from dataflows.sources.exchange.handoff import FeedEnd, Handoff
from dataflows.sources.exchange.marked_frames import MarkedFrames
from dataflows.sources.exchange.overlap import Overlap
from dataflows.sources.exchange.watchdog import Watchdog
from dataflows.sources.exchange.weight_budget import WINDOW_S, WeightBudget
from dataflows.tapes.frames import Frame
from sluice.clock import EventClock
from tests.dataflows.sources.exchange.running import depth, trade


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30), st.floats(0.001, 10), st.floats(10, 100))
def test_pauses_double_up_to_their_bound_and_are_never_less_than_half(
    draws: list[float], first: float, most: float
) -> None:
    drawn = iter(draws)
    backoff = Backoff(first, most, lambda: next(drawn))
    for number in range(len(draws)):
        whole = min(first * 2**number, most)
        assert whole / 2 <= backoff.next_s() <= whole
    backoff.reset()
    drawn = iter([0.0])
    assert backoff.next_s() == first / 2


@given(st.integers(20, 200), st.lists(st.tuples(st.floats(0, 30), st.sampled_from([1, 5, 20])), max_size=60))
def test_no_window_of_a_minute_sees_more_weight_than_allowed(limit: int, requests: list[tuple[float, int]]) -> None:
    budget, now = WeightBudget(limit), 1000.0
    used: dict[int, int] = {}
    for pause, weight in requests:
        now += pause
        while (wait := budget.wait_s(weight, now)) > 0:
            now += wait
        window = int(now // WINDOW_S)
        used[window] = used.get(window, 0) + weight
    assert all(total <= limit for total in used.values())


def test_the_exchanges_count_is_believed_where_it_is_greater_and_a_block_is_kept() -> None:
    budget = WeightBudget(100)
    assert budget.wait_s(20, 60.0) == 0.0
    budget.correct(95, 61.0)
    assert budget.wait_s(20, 61.0) == 59.0
    budget.correct(3, 62.0)
    assert budget.wait_s(20, 62.0) == 58.0
    budget.block(180, 62.0)
    assert budget.wait_s(20, 121.0) == 121.0
    assert budget.wait_s(20, 242.0) == 0.0


@pytest.mark.parametrize(("payload", "head"), [
    (depth(5, 12, 4), DepthHead(5, 12, 4)),
    (b'{"stream":"x@depth","data":{"b":[],"a":[],"pu":-1,"u":7,"U":3}}', DepthHead(3, 7, -1)),
    (b'{"stream": "x@depth", "data": {"U": 3, "u": 7, "pu": 2}}', DepthHead(3, 7, 2)),
    (b'{"stream":"x@depth","data":{"U":3}}', None),
    (b"\xff", None),
    (b"[" * 5000, None),
])
def test_the_ids_of_a_difference_are_read_whatever_its_form(payload: bytes, head: DepthHead | None) -> None:
    assert read_head(payload) == head


@given(st.lists(st.sampled_from(["next", "lost", "snapshot", "old snapshot"]), min_size=1, max_size=40))
def test_whenever_a_book_has_no_snapshot_to_join_the_guard_asks_for_one(steps: list[str]) -> None:
    """The real book is the oracle: it is fed the same, and a wanted snapshot is the next thing the exchange sends."""
    book = OrderBook(Decimal("0.1"))
    guard, last, wanted = BookGuard(), 100, False
    levels = (np.array([[60000.1, 1.0]]), np.array([[60000.2, 1.0]]))
    for step in steps:
        if step == "lost":
            last += 10
        if "snapshot" in step:
            at = last if step == "snapshot" else last - 10_000
            book.apply_snapshot(at, *levels)
            wanted = not guard.take_snapshot(at) or (wanted and step != "snapshot")
            continue
        head = DepthHead(last + 3, last + 5, last)
        last = head.last
        book.apply_update(head.first, head.last, head.previous, *levels)
        wanted = guard.take(head) or wanted
        assert wanted or book.synced


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(0, 50))
def test_a_monotone_clock_never_goes_back(times: list[int], start: int) -> None:
    behind = EventClock()
    clock, found = MonotoneClock(behind, start), [start]
    for time_ns in times:
        behind._now_ns = time_ns
        found.append(clock.stamp_ns())
    assert found == sorted(found)
    assert found[-1] == max([start, *times])


@pytest.mark.parametrize(("payload", "marker"), [
    (b"17 3", Marker(17, 3)), (b"17 3 end", Marker(17, 3, True)), (b"", None), (b"17", None), (b"17 x", None),
    (b"17 3 stop", None), (b"-1 3", None), (b"9" * 30 + b" 1", None), (b"1 2 end more", None),
])
def test_a_marker_is_told_from_an_ordinary_ping(payload: bytes, marker: Marker | None) -> None:
    assert read_marker(payload) == marker


@given(st.data())
def test_frames_of_several_connections_come_out_in_the_order_of_their_lines_however_they_arrive(
    data: st.DataObject
) -> None:
    owners = data.draw(st.lists(st.integers(0, 3), max_size=60))
    scripts: list[list[tuple[int, bool]]] = [[] for _ in range(3)]
    for line, owner in enumerate(owners, start=1):
        for number in range(3):
            if owner == number or (owner == 3 and data.draw(st.booleans())):
                scripts[number].append((line, owner == number))
    frames, released = MarkedFrames(3), list[Frame]()
    while any(scripts):
        number = data.draw(st.sampled_from([number for number in range(3) if scripts[number]]))
        line, own = scripts[number].pop(0)
        frames.mark(number, Marker(line * 10, line))
        if own:
            frames.add(number, b"%d" % line)
        released += frames.release()
    for number in range(3):
        frames.mark(number, Marker(10_000, 10_000, end=True))
    released += frames.release()
    assert [frame.sequence for frame in released] == [
        line for line, owner in enumerate(owners, start=1) if owner != 3]
    assert all(frame.receive_time_ns == frame.sequence * 10 for frame in released)


def test_a_connection_that_is_cut_off_in_a_line_gives_the_line_again() -> None:
    frames = MarkedFrames(1)
    assert frames.restart(0) is None
    assert not frames.add(0, b"of no line")
    frames.mark(0, Marker(10, 1))
    frames.add(0, b"a")
    frames.mark(0, Marker(20, 2))
    frames.add(0, b"b")
    assert frames.restart(0) == 1
    frames.mark(0, Marker(20, 2))
    frames.add(0, b"b")
    frames.mark(0, Marker(20, 2, end=True))
    assert [frame.payload for frame in frames.release()] == [b"a", b"b"]


def ticker(number: int) -> bytes:
    return b'{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":%d,"s":"BTCUSDT"}}' % number


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_two_connections_side_by_side_are_one_stream(
    common_from: int, old_until: int, new_until: int, late: int
) -> None:
    """The old one has brought 0..old_until; the new one began at `common_from`, within what the old one brought.

    The new one brought 0..new_until by the time of the change, and `late` more after it.
    """
    common_from = min(common_from, old_until)
    overlap = Overlap()
    for number in range(common_from, old_until + 1):
        overlap.note(trade(number))
        overlap.note(ticker(number))
    for number in range(common_from, new_until + 1):
        assert overlap.hold(trade(number))
        assert overlap.hold(ticker(number))
    first_late = max(new_until + 1, common_from)
    after = [payload for number in range(first_late, first_late + late) for payload in (trade(number), ticker(number))]
    rest = [payload for number in range(old_until + 1, first_late + late)
            for payload in (trade(number), ticker(number))]
    assert [*overlap.remainder(), *filter(overlap.is_new, after)] == rest
    assert overlap.is_new(b'{"stream":"btcusdt@forceOrder","data":{"e":"forceOrder","E":1}}')


def test_a_kind_of_stream_is_silent_after_its_own_limit() -> None:
    watchdog = Watchdog({b"dep": 10.0, b"agg": 100.0}, 0.0)
    assert watchdog.silent(10.0) == ""
    watchdog.heard |= {b"dep", b"for"}
    assert watchdog.silent(20.0) == ""
    assert "dep" in watchdog.silent(30.1)
    watchdog.heard |= {b"dep"}
    assert "agg" in watchdog.silent(100.1)


def a_handoff(clock: EventClock | None = None, **bounds: int) -> Handoff:
    return Handoff(MonotoneClock(clock or EventClock()), **{"most_frames": 10, "most_bytes": 1000, **bounds})


def test_a_full_queue_refuses_until_half_of_it_is_taken() -> None:
    for bounds, size in (({"most_frames": 4}, 1), ({"most_bytes": 400}, 100)):
        handoff = a_handoff(None, **bounds)
        assert [handoff.put(b"x" * size) for _ in range(5)] == [True] * 4 + [False]
        assert not handoff.roomy
        handoff.take(1)
        assert not handoff.roomy
        assert handoff.put(b"x" * size), "there is room for one, though not to begin anew"
        handoff.take(2)
        assert handoff.roomy


def test_what_is_no_frame_always_has_room_and_keeps_its_place() -> None:
    handoff = a_handoff(most_frames=1)
    letter = DeadLetter(1, "m", 0, 0, b"")  # type: ignore[arg-type]  # a reason is not looked at here
    handoff.put(b"a")
    handoff.put_last(letter)
    handoff.put_last(FeedEnd())
    items, _ = handoff.take(10)
    assert [type(item) for item in items] == [Frame, DeadLetter, FeedEnd]


def test_the_time_of_taking_is_told_only_where_nothing_waits() -> None:
    clock = EventClock(5)
    handoff = a_handoff(clock)
    for _ in range(3):
        handoff.put(b"a")
    assert handoff.take(2)[1] == 0
    clock.advance(9)
    assert handoff.take(2)[1] == 9
    assert handoff.take(2) == ([], 9)


def test_every_frame_stamped_before_the_time_of_taking_has_been_taken() -> None:
    class Machine:
        def now_ns(self) -> int:
            return time.time_ns()

    handoff = Handoff(MonotoneClock(Machine()), most_frames=10**6, most_bytes=10**9)
    over = threading.Event()

    def put() -> None:
        while not over.is_set():
            handoff.put(b"x")

    putter = threading.Thread(target=put)
    putter.start()
    until, taken = 0, 0
    try:
        while taken < 20_000:
            items, told = handoff.take(10**6)
            assert all(isinstance(item, Frame) and item.receive_time_ns >= until for item in items)
            until, taken = told, taken + len(items)
    finally:
        over.set()
        putter.join()
