import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataflows.book import merging, sides
from dataflows.book.state import LEVEL_CAPACITY, NO_HORIZON, SIDE
from dataflows.kernels import Floats, Integers, RecordArray, kernel

LEVELS = st.dictionaries(st.integers(0, 60), st.sampled_from([0.0, 1.0, 2.0]), max_size=40)


@kernel
def merge(side: RecordArray, keys: Integers, quantities: Floats) -> None:
    merging.put_all(side[0], keys, quantities)


@kernel
def one_by_one(side: RecordArray, keys: Integers, quantities: Floats) -> None:
    for index in range(keys.size):
        sides.put(side[0], keys[index], quantities[index])


def side_of(keys: list[int]) -> RecordArray:
    side = np.zeros(1, SIDE)
    side["horizon"] = NO_HORIZON
    one_by_one(side, np.array(keys, np.int64), np.ones(len(keys)))
    return side


def columns(levels: list[tuple[int, float]]) -> tuple[Integers, Floats]:
    return np.array([key for key, _ in levels], np.int64), np.array([quantity for _, quantity in levels], np.float64)


@given(st.lists(st.dictionaries(st.integers(0, 60), st.just(1.0), max_size=40), max_size=1), LEVELS,
       st.sampled_from(["ascending", "descending", "mixed"]))
def test_setting_levels_together_is_setting_them_one_by_one(
    start: list[dict[int, float]], update: dict[int, float], order: str,
) -> None:
    held = sorted(start[0]) if start else []
    levels = list(update.items()) if order == "mixed" else sorted(update.items(), reverse=order == "descending")
    together, singly = side_of(held), side_of(held)
    merge(together, *columns(levels))
    one_by_one(singly, *columns(levels))
    assert together.tobytes() == singly.tobytes()


def test_a_full_side_makes_room_before_it_forgets() -> None:
    """Two levels go and two come: nothing need be forgotten, whatever the order of the update."""
    side = side_of(list(range(10, 10 + LEVEL_CAPACITY)))
    top = 10 + LEVEL_CAPACITY
    merge(side, *columns([(11, 0.0), (12, 0.0), (top, 1.0), (top + 1, 1.0)]))
    assert side["count"][0] == LEVEL_CAPACITY
    assert side["horizon"][0] == NO_HORIZON
    merge(side, *columns([(top - 1, 0.0), (top + 2, 1.0), (top + 3, 1.0)]))
    assert side["count"][0] == LEVEL_CAPACITY
    assert side["horizon"][0] == 10
    assert side["keys"][0][[0, -2, -1]].tolist() == [13, top + 2, top + 3]
