import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.codecs.levels import first_invalid, read_levels

WHOLE = st.integers(0, 10**22).map(str)
DECIMALS = st.text("0123456789", min_size=1, max_size=12)
NUMBERS = st.one_of(WHOLE, st.builds("{}.{}".format, WHOLE, DECIMALS), WHOLE.map("{}e3".format))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30))
def test_levels_are_the_correctly_rounded_numbers_whatever_their_form(pairs: list[tuple[str, str]]) -> None:
    expected = [[float(price), float(quantity)] for price, quantity in pairs]
    for separators in ((",", ":"), (", ", ": ")):
        levels = read_levels(json.dumps(pairs, separators=separators).encode())
        assert levels.shape == (len(pairs), 2)
        assert levels.tolist() == expected


def test_levels_may_be_json_numbers() -> None:
    assert read_levels(b"[[1.5,2],[3,0]]").tolist() == [[1.5, 2.0], [3.0, 0.0]]


@pytest.mark.parametrize(
    "text",
    [b"", b"[", b"]", b"{}", b"null", b"[[]]", b'[["1"]]', b'[["1","2","3"]]', b'[["1","2"]', b'[["1","2"],]',
     b'[["1","x"]]', b'[["01","1"]]', b'[["00.5","1"]]', b'[["","1"]]', b'[["1.","1"]]', b'[[".5","1"]]',
     b'[["1",null]]', b'[["1","2"]]]', b'["1","2"]'],
)
def test_levels_are_refused_when_they_are_no_list_of_pairs_of_numbers(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_levels(text)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_levels_only_where_json_says_so(text: bytes) -> None:
    try:
        levels = read_levels(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    assert len(json.loads(text)) == len(levels)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([[1.0, 0.0], [2.0, 5.0]], (-1, -1)),
        ([[1.0, 0.0], [0.0, 5.0]], (1, 0)),
        ([[-1.0, 1.0]], (0, 0)),
        ([[np.inf, 1.0]], (0, 0)),
        ([[np.nan, 1.0]], (0, 0)),
        ([[1.0, -0.5]], (0, 1)),
        ([[1.0, np.nan]], (0, 1)),
        ([[1.0, np.inf]], (0, 1)),
    ],
)
def test_first_invalid_names_the_value_that_no_level_may_have(
    levels: list[list[float]], expected: tuple[int, int],
) -> None:
    assert first_invalid(np.array(levels)) == expected
