"""Ticks and lots are written exactly, with the decimals of the filter."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.synthetic.numbers import Notation

steps_of_filters = st.sampled_from(["0.10", "0.01", "0.0100", "0.0001", "1", "10", "0.5"])


@given(st.integers(0, 10**9), steps_of_filters)
def test_the_text_is_the_exact_product(steps: int, step: str) -> None:
    text = Notation(Decimal(step)).text(steps)
    assert Decimal(text) == steps * Decimal(step)
    assert text == format(steps * Decimal(step), "f")


@pytest.mark.parametrize(
    ("step", "steps", "text"), [("0.10", 940001, "94000.10"), ("0.0100", 18500, "185.0000"), ("1", 0, "0")]
)
def test_the_text_is_that_of_the_venue(step: str, steps: int, text: str) -> None:
    assert Notation(Decimal(step)).text(steps) == text
