"""Differences of a book, several as one."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.streams.merging import DepthMerger, merged_depth

Side = list[tuple[str, str]]
Levels = st.lists(st.tuples(st.integers(1, 6).map(str), st.integers(0, 3).map(str)), max_size=5)


def event(first: int, last: int, previous: int, bids: Side, asks: Side) -> bytes:
    times = {"e": "depthUpdate", "E": last, "T": last, "s": "X"}
    return msgspec.json.encode({**times, "U": first, "u": last, "pu": previous, "b": bids, "a": asks})


def applied(book: dict[str, dict[str, str]], data: bytes) -> dict[str, dict[str, str]]:
    document = msgspec.json.decode(data)
    for side in ("b", "a"):
        book.setdefault(side, {}).update((price, quantity) for price, quantity in document[side])
    return {side: {price: quantity for price, quantity in levels.items() if quantity != "0"}
            for side, levels in book.items()}


@given(st.lists(st.tuples(Levels, Levels), min_size=1, max_size=6))
def test_one_merged_difference_does_what_all_did(changes: list[tuple[Side, Side]]) -> None:
    events = [event(10 * n + 5, 10 * n + 9, 10 * n - 1, bids, asks) for n, (bids, asks) in enumerate(changes, 1)]
    merged = merged_depth(events)
    stepwise: dict[str, dict[str, str]] = {}
    for each in events:
        stepwise = applied(stepwise, each)
    assert applied({}, merged) == stepwise
    head, last = msgspec.json.decode(merged), msgspec.json.decode(events[-1])
    assert (head["U"], head["pu"], head["u"], head["E"]) == (15, 9, last["u"], last["E"])


def test_a_single_difference_keeps_its_bytes() -> None:
    only = b'{"e": "depthUpdate",   "U":1}'
    assert merged_depth([only]) is only


def test_an_interval_is_sent_when_it_is_over() -> None:
    merger = DepthMerger(100)
    first, second = event(1, 2, 0, [("1", "1")], []), event(3, 4, 2, [("1", "2")], [])
    assert merger.add(1000, first) is None
    assert merger.add(1099, second) is None
    due = merger.due(1100)
    assert due is not None
    assert msgspec.json.decode(due)["u"] == 4
    assert merger.due(1100) is None


def test_what_is_malformed_is_dropped_and_the_stream_goes_on() -> None:
    merger = DepthMerger(100)
    merger.add(1000, b"{}")
    merger.add(1001, b"[]")
    assert merger.due(1100) is None
    merger.add(1101, b'{"U":1}')
    assert merger.due(1200) == b'{"U":1}'
