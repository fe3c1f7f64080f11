import numpy as np
import pytest

from dataflows.book import blocks
from dataflows.kernels import Floats, Integers, kernel


@kernel
def move(values: Floats | Integers, target: int, source: int, number: int) -> None:
    blocks.move(values, target, source, number)


@kernel
def zero(values: Floats | Integers, start: int, number: int) -> None:
    blocks.zero(values, start, number)


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize(("target", "source", "number"), [(0, 3, 5), (3, 0, 5), (2, 2, 3), (7, 0, 1), (8, 0, 0)])
def test_a_block_is_moved_also_onto_itself(dtype: type[np.int64 | np.float64], target: int, source: int, number: int) -> None:
    values, plain = np.arange(1, 9).astype(dtype), list(range(1, 9))
    plain[target : target + number] = plain[source : source + number]
    move(values, target, source, number)
    assert values.tolist() == plain


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_a_block_is_zeroed_and_no_more(dtype: type[np.int64 | np.float64]) -> None:
    values = np.arange(1, 7).astype(dtype)
    zero(values, 2, 3)
    assert values.tolist() == [1, 2, 0, 0, 0, 6]


def test_a_negative_number_of_places_is_none() -> None:
    values = np.arange(1.0, 5.0)
    zero(values, 1, -1)
    move(values, 2, 1, -2)
    assert values.tolist() == [1.0, 2.0, 3.0, 4.0]
