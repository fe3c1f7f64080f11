"""The shared words of an order are the contract's, and what is not specified is never one of them."""

from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.execution.v1 import execution_pb2
from sluice.orders import (
    CLOSING_TYPES,
    CONDITIONAL_TYPES,
    PRICED_TYPES,
    STOP_TYPES,
    AlgorithmKind,
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    ReportKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
    member_of,
    number_of,
)
from sluice.risk.v1 import order_pb2

CONTRACTS: list[tuple[type[Enum], Any]] = [
    (Side, order_pb2.Side), (PositionSide, order_pb2.PositionSide), (OrderType, order_pb2.OrderType),
    (TimeInForce, order_pb2.TimeInForce), (TriggerPrice, order_pb2.TriggerPrice),
    (SelfTradePrevention, order_pb2.SelfTradePrevention), (PriceMatch, order_pb2.PriceMatch),
    (AlgorithmKind, order_pb2.AlgorithmKind), (OrderStatus, execution_pb2.OrderStatus),
    (ReportKind, execution_pb2.ReportKind),
]
KINDS = [ours for ours, _ in CONTRACTS]


@pytest.mark.parametrize(("ours", "contract"), CONTRACTS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_enum_has_the_contract_s_names_and_numbers_but_for_unspecified(ours: type[Enum], contract: Any) -> None:
    prefix = contract.Name(0).removesuffix("UNSPECIFIED")
    theirs = {name.removeprefix(prefix): number for name, number in contract.items()}
    assert theirs == {"UNSPECIFIED": 0} | {member.name: member.value for member in ours}


@given(kind=st.sampled_from(KINDS), number=st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 12))
def test_a_number_is_read_as_its_member_or_as_nothing(kind: type[Enum], number: int) -> None:
    member = member_of(kind, number)
    assert (member is None) == (number not in {known.value for known in kind})
    assert number_of(member) == (0 if member is None else number)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_specified_is_no_member(kind: type[Enum]) -> None:
    assert member_of(kind, 0) is None


def test_sides_move_the_position_in_opposite_directions() -> None:
    assert {side: side.sign for side in Side} == {Side.BUY: 1, Side.SELL: -1}


def test_a_final_status_is_one_of_the_four_ends() -> None:
    assert {status.name for status in OrderStatus if status.final} == {"FILLED", "CANCELED", "REJECTED", "EXPIRED"}


def test_types_are_grouped_by_the_prices_that_they_state() -> None:
    assert set(OrderType) - CONDITIONAL_TYPES == {OrderType.LIMIT, OrderType.MARKET}
    assert set(CONDITIONAL_TYPES) - STOP_TYPES == {OrderType.TRAILING_STOP_MARKET}
    assert set(STOP_TYPES) - CLOSING_TYPES == set(PRICED_TYPES) - {OrderType.LIMIT}
    assert not PRICED_TYPES & CLOSING_TYPES
