"""A side of the book against a dict, wherever its window lies and however it must move."""

from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.book import reading, sides, single
from dataflows.book.state import FAR_CAPACITY, NO_HORIZON, SIDE, WINDOW
from dataflows.kernels import Floats, Integers, RecordArray, kernel

Levels: TypeAlias = list[tuple[int, float]]
ALL = WINDOW + FAR_CAPACITY


@kernel
def put_all(side: RecordArray, keys: Integers, quantities: Floats) -> None:
    sides.put_all(side[0], keys, quantities)


@kernel
def put_singly(side: RecordArray, keys: Integers, quantities: Floats) -> None:
    for index in range(keys.size):
        single.put(side[0], keys[index], quantities[index])


@kernel
def clear_from(side: RecordArray, key: int) -> None:
    sides.clear_from(side[0], key)


@kernel
def clear(side: RecordArray) -> None:
    sides.clear(side[0])


@kernel
def best_levels(side: RecordArray, keys: Integers, quantities: Floats) -> int:
    return reading.best_levels(side[0], keys, quantities)


@kernel
def sums(side: RecordArray, furthest_key: int, levels: int) -> tuple[float, float]:
    return reading.quantity_within(side[0], furthest_key), sides.depth_quantity(side[0], levels)


@kernel
def quantity_at(side: RecordArray, key: int) -> float:
    return reading.quantity_at(side[0], key)


@kernel
def best(side: RecordArray) -> tuple[int, float]:
    return sides.best_key(side[0]), sides.best_quantity(side[0])


def new_side() -> RecordArray:
    side = np.zeros(1, SIDE)
    side["horizon"] = side["best"] = NO_HORIZON
    return side


def columns(levels: Levels) -> tuple[Integers, Floats]:
    return np.array([key for key, _ in levels], np.int64), np.array([size for _, size in levels], np.float64)


def put(side: RecordArray, levels: Levels) -> None:
    put_all(side, *columns(levels))


def put_plainly(plain: dict[int, float], levels: Levels) -> None:
    for key, quantity in levels:
        plain[key] = quantity
        if quantity == 0.0:
            del plain[key]


def levels_of(side: RecordArray) -> Levels:
    keys, quantities = np.empty(ALL, np.int64), np.empty(ALL)
    count = best_levels(side, keys, quantities)
    return list(zip(keys[:count].tolist(), quantities[:count].tolist(), strict=True))


def assert_tidy(side: RecordArray) -> None:
    """Unused places are zero, the far ones sorted; the best is in the window, in its upper half where any is far."""
    record, far = side[0], int(side[0]["far_count"])
    assert not record["far_keys"][far:].any()
    assert not record["far_quantities"][far:].any()
    assert (np.diff(np.append(record["far_keys"][:far], record["base"])) > 0).all()
    assert record["count"] == far + np.count_nonzero(record["window"])
    if record["count"] == 0:
        assert record["best"] == NO_HORIZON
    else:
        place = record["best"] - record["base"]
        assert place == np.flatnonzero(record["window"])[-1]
        assert far == 0 or place >= WINDOW // 2


# Keys in bunches that lie in one window, just outside it, and far away from each other.
CENTRES = st.sampled_from([0, WINDOW // 8 - 1, WINDOW // 2, WINDOW, 3 * WINDOW, -WINDOW // 8 * 7, -(10**9), 2**51])
KEYS = st.builds(lambda centre, offset: centre + offset, CENTRES, st.integers(0, 1))
UPDATES = st.lists(st.tuples(KEYS, st.sampled_from([0.0, 0.0, 1.0, 2.5, 0.1])), max_size=12)


@given(st.lists(st.one_of(UPDATES, UPDATES, UPDATES, KEYS, st.none()), max_size=12))
def test_a_side_holds_what_a_dict_holds_after_any_updates(steps: list[Levels | int | None]) -> None:
    side, plain = new_side(), dict[int, float]()
    for step in steps:
        if step is None:
            clear(side)
            assert side.tobytes() == new_side().tobytes()
            plain.clear()
        elif isinstance(step, int):
            clear_from(side, step)
            plain = {key: quantity for key, quantity in plain.items() if key < step}
        else:
            put(side, step)
            put_plainly(plain, step)
        assert levels_of(side) == sorted(plain.items(), reverse=True)
        assert best(side) == max(plain.items(), default=(NO_HORIZON, 0.0))
        assert_tidy(side)


@given(UPDATES, KEYS, st.integers(0, 14))
def test_the_sums_are_of_the_levels_that_a_dict_holds(levels: Levels, furthest: int, depth: int) -> None:
    side, plain = new_side(), dict[int, float]()
    put(side, levels)
    put_plainly(plain, levels)
    within, deep = sums(side, furthest, depth)
    assert within == pytest.approx(sum(quantity for key, quantity in plain.items() if key >= furthest), rel=1e-12)
    assert deep == sum(quantity for _, quantity in sorted(plain.items())[max(0, len(plain) - depth) :])


@given(st.lists(UPDATES, max_size=8))
def test_setting_levels_together_is_setting_them_one_by_one(updates: list[Levels]) -> None:
    together, singly = new_side(), new_side()
    for levels in updates:
        put(together, levels)
        put_singly(singly, *columns(levels))
        assert levels_of(together) == levels_of(singly)
        assert together["count"] == singly["count"]
        assert_tidy(singly)


@pytest.mark.parametrize("seed", range(4))
def test_a_large_book_whose_price_wanders_loses_nothing(seed: int) -> None:
    """Thousands of levels, most near the touch, a third far away, while the best goes through many windows."""
    random = np.random.default_rng(seed)
    side, plain, centre = new_side(), dict[int, float](), 600_000
    for _ in range(200):
        centre += int(random.normal(0, WINDOW / 4))
        distances = np.where(random.random(60) < 0.7, random.exponential(300, 60), random.exponential(30_000, 60))
        keys = centre - distances.astype(np.int64)
        better = [(key, 0.0) for key in plain if key > centre]
        levels = [*better, *((int(key), float(random.integers(0, 4))) for key in keys)]
        put(side, levels)
        put_plainly(plain, levels)
        assert side["count"][0] == len(plain)
    assert side["horizon"][0] == NO_HORIZON
    assert len(plain) > 1000
    assert levels_of(side) == sorted(plain.items(), reverse=True)
    assert_tidy(side)


@pytest.mark.parametrize("seed", range(4))
def test_a_side_with_too_little_room_knows_what_it_has_forgotten(seed: int) -> None:
    """Three times as many levels as there is room for far ones; what is above the horizon is as a dict has it."""
    random = np.random.default_rng(seed)
    side, plain, centre = new_side(), dict[int, float](), 0
    for step in range(60):
        centre += int(random.normal(0, WINDOW))
        keys = centre - random.exponential(300_000, 400).astype(np.int64)
        levels = [(int(key), float(random.integers(0, 4))) for key in keys]
        put(side, levels)
        put_plainly(plain, levels)
        horizon = int(side["horizon"][0])
        assert levels_of(side) == sorted(((key, size) for key, size in plain.items() if key > horizon), reverse=True)
        assert (horizon == NO_HORIZON) or len(plain) > FAR_CAPACITY
        if step % 10 == 0:
            assert_tidy(side)
    assert side["horizon"][0] != NO_HORIZON
    assert side["far_count"][0] > FAR_CAPACITY // 2


def test_the_cells_at_both_ends_of_the_window_and_what_is_next_to_them_are_read() -> None:
    side = new_side()
    put(side, [(0, 1.0)])
    first, last = int(side["base"][0]), int(side["base"][0]) + WINDOW - 1
    put(side, [(last, 2.0), (first, 3.0), (first - 1, 4.0)])
    assert side["base"][0] == first
    assert [quantity_at(side, key) for key in (last + 1, last, 0, first, first - 1)] == [0.0, 2.0, 1.0, 3.0, 4.0]
    assert [quantity_at(side, key) for key in (last - 1, first + 1, first - 2)] == [0.0, 0.0, 0.0]


def full_side() -> RecordArray:
    """A side with its best at 0 and as many far levels as there is room for, the furthest at -10 * WINDOW - 1."""
    side = new_side()
    put(side, [(0, 1.0), *((-10 * WINDOW + number, 1.0) for number in range(-1, FAR_CAPACITY - 1))])
    assert side["far_count"][0] == FAR_CAPACITY
    return side


def test_a_full_side_forgets_its_furthest_level_which_may_be_the_new_one() -> None:
    side, furthest = full_side(), -10 * WINDOW - 1
    put(side, [(furthest - 5, 2.0)])
    assert (side["count"][0], side["horizon"][0]) == (FAR_CAPACITY + 1, furthest - 5)
    put(side, [(-9 * WINDOW, 2.0)])
    assert (side["count"][0], side["horizon"][0]) == (FAR_CAPACITY + 1, furthest)
    assert levels_of(side)[1] == (-9 * WINDOW, 2.0)
    assert_tidy(side)


@pytest.mark.parametrize("order", [1, -1])
def test_an_update_that_makes_room_makes_nothing_forgotten(order: int) -> None:
    side, near = full_side(), -9 * WINDOW
    put(side, [(near, 1.0), (near + 1, 1.0), (-10 * WINDOW, 0.0), (-10 * WINDOW + 1, 0.0)][::order])
    assert (side["count"][0], side["horizon"][0]) == (FAR_CAPACITY + 1, NO_HORIZON)
    assert levels_of(side)[:3] == [(0, 1.0), (near + 1, 1.0), (near, 1.0)]


@pytest.mark.parametrize("order", [1, -1])
def test_an_empty_side_takes_more_levels_than_have_room_far_away_in_any_order(order: int) -> None:
    side = new_side()
    levels = [(-(10**6) + number, 1.0) for number in range(FAR_CAPACITY + 1000)]
    put(side, levels[::order])
    assert (side["count"][0], side["horizon"][0]) == (len(levels), NO_HORIZON)
    assert levels_of(side) == levels[::-1]


def test_a_window_full_of_levels_that_moves_away_leaves_the_best_of_them() -> None:
    side, top = new_side(), 20 * WINDOW
    put(side, [(-key, 1.0) for key in range(2 * FAR_CAPACITY - 1000)])
    put(side, [(-3 * WINDOW, 1.0)])
    put(side, [(top, 1.0)])
    assert side["horizon"][0] == -FAR_CAPACITY
    assert levels_of(side) == [(top, 1.0), *((-key, 1.0) for key in range(FAR_CAPACITY))]
    assert_tidy(side)


def test_a_price_that_goes_to_and_fro_does_not_move_the_window_each_time() -> None:
    side = new_side()
    put(side, [(0, 1.0), (-100 * WINDOW, 1.0)])
    bases = set()
    for _ in range(5):
        for key in (0, -WINDOW // 4, WINDOW // 20):
            put(side, [(-WINDOW // 4, 1.0), (0, float(key >= 0)), (WINDOW // 20, float(key > 0))])
            bases.add(int(side["base"][0]))
    assert len(bases) == 1
