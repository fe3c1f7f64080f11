"""Messages and domain values are the same thing in two forms."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.codec import read_fill, read_order, read_report, write_fill, write_order, write_report, write_state
from execution.domain import ExecutionReport, Fill, OrderRequest
from execution.venues.interface import VenueEventKind
from sluice.errors import InputError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.orders import (
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    ReportKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)
from sluice.risk.v1 import order_pb2
from tests.execution.builders import BTC, CATALOG, an_order
from tests.execution.rig import an_order_message

amounts = st.decimals(min_value=0, max_value=10**9, places=8).map(lambda value: value.normalize() + 0)
prices = st.one_of(st.none(), amounts)
fills = st.builds(Fill, st.text(min_size=1, max_size=20), amounts, amounts, amounts.map(lambda value: -value),
                  st.sampled_from(["USDT", "BTC"]), st.booleans())


def test_a_venue_s_event_kind_is_a_report_kind() -> None:
    assert all(ReportKind(kind.value).name == kind.name for kind in VenueEventKind if kind is not VenueEventKind.ALARM)


@given(st.builds(
    OrderRequest, client_order_id=st.just("sl1"), instrument=st.just(BTC), side=st.sampled_from(Side),
    type=st.sampled_from(OrderType), time_in_force=st.sampled_from(TimeInForce), quantity=amounts, price=prices,
    reduce_only=st.booleans(), position_side=st.sampled_from(PositionSide), stop_price=prices,
    trigger_price=st.one_of(st.none(), st.sampled_from(TriggerPrice)), callback_rate_percent=prices,
    activation_price=prices, close_position=st.booleans(), good_till_time_ns=st.integers(0, 2**62),
    self_trade_prevention=st.sampled_from(SelfTradePrevention), price_match=st.sampled_from(PriceMatch),
    price_protect=st.booleans()))
def test_an_order_is_the_same_after_a_round_trip(request_: OrderRequest) -> None:
    assert read_order(write_order(request_), "sl1", CATALOG) == request_


@given(st.builds(
    ExecutionReport, st.integers(1, 2**62), st.integers(0, 2**62), st.sampled_from(ReportKind), st.text(max_size=9),
    st.text(max_size=9), st.text(max_size=9), st.one_of(st.none(), st.sampled_from(Side)),
    st.one_of(st.none(), st.sampled_from(OrderStatus)), amounts, amounts, st.one_of(st.none(), fills),
    st.text(max_size=9), st.booleans()))
def test_a_report_is_the_same_after_a_round_trip(report: ExecutionReport) -> None:
    message = messages.ExecutionReport.FromString(write_report(report).SerializeToString())
    assert read_report(message) == report


@given(fills)
def test_a_fill_is_the_same_after_a_round_trip(fill: Fill) -> None:
    assert read_fill(write_fill(fill)) == fill


def test_an_order_with_a_field_that_is_not_in_the_contract_is_refused() -> None:
    newer = order_pb2.Order.FromString(an_order_message().SerializeToString() + b"\xf8\x3f\x01")
    with pytest.raises(InputError, match="unknown"):
        read_order(newer, "sl1", CATALOG)


@pytest.mark.parametrize("number", [0, 77, -1])
@pytest.mark.parametrize("field", [
    "side", "position_side", "type", "time_in_force", "self_trade_prevention", "price_match"])
def test_an_enum_that_is_unspecified_or_unknown_is_refused(field: str, number: int) -> None:
    with pytest.raises(InputError, match=rf"{field} must be one of [A-Z0-9_, ]+, was {number or 'unspecified'}$"):
        read_order(an_order_message(**{field: number}), "sl1", CATALOG)


def test_a_trigger_price_may_be_unspecified_and_not_unknown() -> None:
    assert read_order(an_order_message(trigger_price=0), "sl1", CATALOG).trigger_price is None
    with pytest.raises(InputError, match="trigger_price must be one of LAST, MARK, was 77"):
        read_order(an_order_message(trigger_price=77), "sl1", CATALOG)


@pytest.mark.parametrize("quantity", ["", "1,5", " 1", "1e3", "inf", "NaN", "0x10", "١"])
def test_a_quantity_that_is_no_plain_decimal_is_refused(quantity: str) -> None:
    with pytest.raises(InputError, match="quantity must be"):
        read_order(an_order_message(quantity=quantity), "sl1", CATALOG)


def test_a_state_says_nothing_about_a_price_before_the_first_fill() -> None:
    message = write_state(an_order("2"))
    assert (message.average_price, message.filled_quantity, message.fees) == ("", "0", "0")
    assert Decimal(message.order.quantity) == 2
