"""Whatever a stream brings: no trade counts twice, and a copy of the state goes on as the state itself does."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.gates import Gates
from dataflows.quality.outliers import WARM_UP
from dataflows.quality.sequences import WINDOW

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
DUPLICATE = 1 << Reason.DUPLICATE_ID

ids = st.lists(st.integers(1, 40) | st.integers(1, 1_000), min_size=1, max_size=80)
times = st.integers(-3, 3).map(lambda step: step * SECOND)
prices = st.sampled_from([100.0, 100.5, 99.0, 150.0, 151.0, 0.0, -1.0, float("nan"), float("inf")])


@given(ids)
@settings(max_examples=100)
def test_an_id_within_the_window_is_taken_exactly_once(sequence: list[int]) -> None:
    gates = Gates()
    taken: set[int] = set()
    for at in sequence:
        found = gates.trade(START, START, START, at, 100.0, 1.0)
        known = not taken or at > max(taken) - WINDOW
        assert bool(found & DUPLICATE) == (at in taken or not known)
        if not found & DUPLICATE:
            taken.add(at)


@given(st.lists(st.tuples(ids.map(lambda one: one[0]), times, times, prices), min_size=2, max_size=30), st.data())
@settings(max_examples=60)
def test_a_copied_state_goes_on_to_the_same_bytes(
    events: list[tuple[int, int, int, float]], data: st.DataObject,
) -> None:
    whole, first = Gates(), Gates()
    cut = data.draw(st.integers(0, len(events)))
    for at, received, event, price in events:
        whole.trade(START + received, START + event, START + event, at, price, 1.0)
    for at, received, event, price in events[:cut]:
        first.trade(START + received, START + event, START + event, at, price, 1.0)
    second = Gates()
    second.restore(first.to_bytes())
    for at, received, event, price in events[cut:]:
        second.trade(START + received, START + event, START + event, at, price, 1.0)
    assert second.to_bytes() == whole.to_bytes()


@given(st.lists(
    st.tuples(st.integers(-2**63, 2**63 - 1), st.integers(-2**63, 2**63 - 1), st.floats(), st.floats(), st.floats()),
    max_size=20))
@settings(max_examples=60)
def test_any_numbers_are_judged_and_counted(events: list[tuple[int, int, float, float, float]]) -> None:
    gates = Gates()
    for number, time, price, quantity, mid in events:
        gates.trade(abs(time // 2), time, number, number, price, quantity, mid=mid)
        gates.ticker(time, number, time, number, price, quantity)
        gates.depth(number, time, number)
    assert all(count <= 3 * len(events) for count in gates.counts().values())


def test_the_running_scale_finds_median_and_spread_of_what_it_sees() -> None:
    gates = Gates()
    generator = np.random.default_rng(7)
    sizes = generator.lognormal(2.0, 1.5, 20 * WARM_UP)
    for number, size in enumerate(sizes.tolist(), start=1):
        gates.trade(START + number, START + number, 0, number, 100.0, size)
    scale = gates.record["quantities"]
    logs = np.log(sizes)
    assert abs(np.log(scale["middle"]) - np.median(logs)) < 0.2
    assert abs(np.log(scale["spread"]) - np.median(np.abs(logs - np.median(logs)))) < 0.2
    assert gates.counts().get("OUTLIER", 0) == 0
