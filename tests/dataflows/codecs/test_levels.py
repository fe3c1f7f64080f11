import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.codecs.levels import InvalidLevelError, read_levels

WHOLE = st.integers(1, 10**22).map(str)
FRACTION = st.integers(0, 10**10).map(str)
DECIMALS = st.text("0123456789", min_size=1, max_size=12)
NUMBERS = st.one_of(WHOLE, st.builds("{}.{}1".format, FRACTION, DECIMALS), WHOLE.map("{}e3".format))


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
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidLevelError):
        return
    assert len(json.loads(text)) == len(levels)


@pytest.mark.parametrize(
    ("text", "value", "is_price"),
    [
        (b'[["1","0"],["0","5"]]', 0.0, True),
        (b'[["0.00","0"]]', 0.0, True),
        (b'[["-1.5","1"]]', -1.5, True),
        (b'[["inf","1"]]', np.inf, True),
        (b'[["nan","1"]]', np.nan, True),
        (b'[["1","-0.5"]]', -0.5, False),
        (b'[["1","nan"]]', np.nan, False),
        (b'[["1","1"],["2","inf"]]', np.inf, False),
    ],
)
def test_a_price_or_quantity_that_no_level_may_have_is_named(text: bytes, value: float, is_price: bool) -> None:
    with pytest.raises(InvalidLevelError) as caught:
        read_levels(text)
    np.testing.assert_equal(caught.value.value, value)
    assert caught.value.is_price is is_price
