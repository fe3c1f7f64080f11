"""Merging by event time: one order whatever the fetches, nothing lost or doubled, nothing out before its turn."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from dataflows.sources.kafka.merging import MOST_WAITING, MOST_WAITING_BYTES, Merger, Place

#: Event times of the messages of each partition, in the order of their offsets.
Stored = dict[Place, list[int]]
Message = tuple[int, Place, int]

A, B = Place(0, 0), Place(1, 0)

stored_partitions = st.dictionaries(
    st.builds(Place, st.integers(0, 2), st.integers(0, 2)), st.lists(st.integers(0, 5), max_size=8),
    min_size=1, max_size=4)


def messages(stored: Stored, place: Place) -> list[Message]:
    return [(time_ns, place, offset) for offset, time_ns in enumerate(stored[place])]


def offer(merger: Merger[Message], message: Message, arrived_s: float = 0.0, size: int = 1) -> None:
    merger.offer(message[1], message[2], message[0], size, message, arrived_s)


def merged(stored: Stored, starts: dict[Place, int] | None = None) -> list[Message]:
    """The order by definition: always the smallest head of what is left."""
    left = {place: messages(stored, place)[(starts or {}).get(place, 0):] for place in stored}
    order = []
    while any(left.values()):
        head = min(rest[0] for rest in left.values() if rest)
        order.append(left[head[1]].pop(0))
    return order


def read(stored: Stored, data: DataObject, starts: dict[Place, int] | None = None, stop_after: int | None = None
         ) -> tuple[list[Message], dict[Place, int]]:
    """Read what is stored by fetches and takes of random sizes, in a random order, until it ends or is stopped."""
    begin = {place: (starts or {}).get(place, 0) for place in stored}
    merger = Merger[Message](begin, {place: len(times) for place, times in stored.items()})
    fetched = dict(begin)
    order: list[Message] = []
    while not merger.finished and (stop_after is None or len(order) < stop_after):
        place = data.draw(st.sampled_from(sorted(stored)))
        for message in messages(stored, place)[fetched[place]:fetched[place] + data.draw(st.integers(0, 4))]:
            offer(merger, message)
            fetched[place] += 1
        if data.draw(st.booleans()):
            merger.ends_at(place, len(stored[place]))
        order += merger.take(data.draw(st.integers(1, 5)))
    return order, merger.positions


@settings(max_examples=60)
@given(stored_partitions, st.data())
def test_stored_messages_have_one_order_whatever_the_fetches(stored: Stored, data: DataObject) -> None:
    order, positions = read(stored, data)
    assert order == merged(stored)
    assert positions == {place: len(times) for place, times in stored.items()}


@settings(max_examples=60)
@given(stored_partitions, st.data())
def test_reading_goes_on_from_any_position_as_if_it_had_not_stopped(stored: Stored, data: DataObject) -> None:
    before, positions = read(stored, data, stop_after=data.draw(st.integers(0, 6)))
    after, _ = read(stored, data, starts=positions)
    assert before + after == merged(stored)


def test_messages_of_one_time_come_by_topic_then_partition_then_offset() -> None:
    stored = {Place(1, 0): [5, 5], Place(0, 1): [5], Place(0, 0): [5]}
    merger = Merger[Message](dict.fromkeys(stored, 0), {place: len(times) for place, times in stored.items()})
    for place in stored:
        for message in messages(stored, place):
            offer(merger, message)
    assert [(place, offset) for _, place, offset in merger.take(10)] == [
        (Place(0, 0), 0), (Place(0, 1), 0), (Place(1, 0), 0), (Place(1, 0), 1)]


def test_partition_of_which_nothing_is_known_holds_the_others_back() -> None:
    merger = Merger[Message]({A: 0, B: 0})
    offer(merger, (1, A, 0))
    assert merger.take(10) == []
    assert list(merger.silent()) == [B]
    merger.ends_at(B, 3)
    assert merger.take(10) == []
    for offset in range(3):
        offer(merger, (0, B, offset))
    assert merger.take(10) == [(0, B, 0), (0, B, 1), (0, B, 2), (1, A, 0)]


def test_partition_at_its_end_is_waited_for_as_long_as_the_caller_says() -> None:
    merger = Merger[Message]({A: 0, B: 0})
    merger.ends_at(B, 0)
    offer(merger, (1, A, 0), arrived_s=10.0)
    merger.ends_at(A, 1)
    assert merger.take(10, arrived_before_s=9.9) == []
    offer(merger, (0, B, 0), arrived_s=10.1)
    assert merger.take(10, arrived_before_s=9.9) == [(0, B, 0)]
    assert merger.take(10, arrived_before_s=10.0) == [(1, A, 0)]
    assert merger.late == 0


def test_message_that_comes_after_a_later_one_is_counted() -> None:
    merger = Merger[Message]({A: 0, B: 0})
    merger.ends_at(B, 0)
    offer(merger, (5, A, 0))
    assert merger.take(10) == [(5, A, 0)]
    merger.ends_at(A, 1)
    offer(merger, (3, B, 0))
    offer(merger, (4, B, 1))
    offer(merger, (5, B, 2))
    assert len(merger.take(10)) == 3
    assert merger.late == 2


def test_message_that_is_fetched_twice_comes_once_and_holes_are_passed_over() -> None:
    merger = Merger[Message]({A: 3}, {A: 9})
    for offset in (2, 3, 5, 4, 3, 5, 7):
        offer(merger, (offset, A, offset))
    merger.fetched_to(A, 9)
    offer(merger, (9, A, 9))
    assert [message[2] for message in merger.take(10)] == [3, 5, 7]
    assert merger.finished


def test_partition_far_ahead_is_paused_once_and_resumed_once_there_is_room() -> None:
    merger = Merger[Message]({A: 0, B: 0})
    for offset in range(MOST_WAITING):
        offer(merger, (offset, A, offset))
    assert merger.to_pause() == [A]
    assert merger.to_pause() == merger.to_resume() == []
    offer(merger, (MOST_WAITING, B, 0), size=MOST_WAITING_BYTES)
    assert merger.to_pause() == [B]
    assert len(merger.take(MOST_WAITING - 100)) == MOST_WAITING - 100
    assert merger.to_resume() == [A]
    assert merger.to_resume() == []
    merger.ends_at(A, MOST_WAITING)
    assert len(merger.take(MOST_WAITING)) == 101
    assert merger.to_resume() == [B]
