import numpy as np
import pytest

from dataflows.book import blocks
from dataflows.kernels import Floats, Integers, kernel

ARRAYS = [np.arange(1, 9, dtype=np.int64), np.arange(1, 9, dtype=np.float64)]


@kernel
def move(values: Floats | Integers, target: int, source: int, number: int) -> None:
    blocks.move(values, target, source, number)


@kernel
def zero(values: Floats | Integers, start: int, number: int) -> None:
    blocks.zero(values, start, number)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize(("target", "source", "number"), [(0, 3, 5), (3, 0, 5), (2, 2, 3), (7, 0, 1), (8, 0, 0)])
def test_a_block_is_moved_also_onto_itself(array: Floats | Integers, target: int, source: int, number: int) -> None:
    values, plain = array.copy(), array.tolist()
    plain[target : target + number] = plain[source : source + number]
    move(values, target, source, number)
    assert values.tolist() == plain


@pytest.mark.parametrize("array", ARRAYS)
def test_a_block_is_zeroed_and_no_more(array: Floats | Integers) -> None:
    values = array.copy()
    zero(values, 2, 3)
    assert values.tolist() == [1, 2, 0, 0, 0, 6, 7, 8]


@pytest.mark.parametrize("array", ARRAYS)
def test_a_negative_number_of_places_is_none(array: Floats | Integers) -> None:
    values = array.copy()
    zero(values, 1, -1)
    move(values, 2, 1, -2)
    assert values.tolist() == array.tolist()
