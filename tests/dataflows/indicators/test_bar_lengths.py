"""Lengths of bars as texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.indicators.bar_lengths import length_name, parse_length, parse_lengths
from sluice.errors import InputError


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("90s", 90), ("5m", 300), ("4h", 14_400), ("1d", 86_400)])
def test_text_says_a_number_of_seconds(text: str, seconds: int) -> None:
    assert parse_length(text) == seconds * 1_000_000_000


@pytest.mark.parametrize("text", ["", "s", "0s", "-1m", "1.5m", "1 m", "5M", "1w", "2d", "1s,1m", "999999s", "١s"])
def test_other_texts_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(InputError, match="a bar's length must be") as caught:
        parse_length(text)
    assert "1s" in caught.value.fix


@given(st.integers(1, 86_400))
def test_a_length_and_its_name_say_the_same(seconds: int) -> None:
    assert parse_length(length_name(seconds * 1_000_000_000)) == seconds * 1_000_000_000


def test_a_length_has_one_name() -> None:
    assert [length_name(parse_length(text)) for text in ("60s", "90s", "60m", "24h")] == ["1m", "90s", "1h", "1d"]
    with pytest.raises(InputError, match="whole seconds"):
        length_name(500_000_000)


def test_lengths_are_sorted_and_each_is_given_once() -> None:
    assert parse_lengths(("5m", "1s")) == (1_000_000_000, 300_000_000_000)
    for wrong in ((), ("1m", "60s")):
        with pytest.raises(InputError, match="each of another"):
            parse_lengths(wrong)
