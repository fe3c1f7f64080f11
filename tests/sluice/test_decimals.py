"""Exact decimals: parsing, text and steps."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.decimals import (
    ceil_to_step,
    floor_to_step,
    is_multiple,
    nearest_step,
    parse_decimal,
    text,
    text_or_empty,
    truncate_to_step,
)
from sluice.errors import InputError

DECIMALS = st.decimals(-(10**12), 10**12, places=9)
STEPS = st.sampled_from([Decimal(step) for step in ("0.001", "0.01", "0.1", "0.5", "1", "10", "0.00000001")])


@given(DECIMALS)
def test_text_and_parse_are_inverse(value: Decimal) -> None:
    assert parse_decimal(text(value), "price") == value
    assert "E" not in text(value)
    assert text(value) != "-0"


def test_a_missing_value_is_an_empty_text_and_zero_is_not() -> None:
    assert (text_or_empty(None), text_or_empty(Decimal("0.0")), text_or_empty(Decimal("1.50"))) == ("", "0", "1.5")


WRONG = ["", " 1", "1 ", "1e3", "NaN", "Infinity", "1_000", "+1", ".5", "1.", "--1", "1,5", "\u0661", "9" * 40]


@pytest.mark.parametrize("wrong", WRONG)
def test_anything_but_a_plain_decimal_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="price must be a plain decimal"):
        parse_decimal(wrong, "price")


@given(DECIMALS, STEPS)
def test_rounding_lands_on_the_step_and_within_one_step(value: Decimal, step: Decimal) -> None:
    down, up, inward = floor_to_step(value, step), ceil_to_step(value, step), truncate_to_step(value, step)
    assert all(is_multiple(found, step) for found in (down, up, inward))
    assert down <= value <= up
    assert up - down in (0, step)
    assert abs(inward) <= abs(value)


@given(st.integers(-(10**9), 10**9), STEPS)
def test_a_float_that_stands_for_a_step_becomes_exactly_it(count: int, step: Decimal) -> None:
    exact = count * step
    assert nearest_step(float(exact), step) == exact


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_not_finite_never_becomes_a_price(wrong: float) -> None:
    with pytest.raises(InputError, match="must be finite"):
        nearest_step(wrong, Decimal("0.1"))
