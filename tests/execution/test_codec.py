"""Messages and domain values are the same thing in two forms."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.codec import read_fill, read_order, read_report, write_fill, write_order, write_report, write_state
from execution.domain import (
    ExecutionReport,
    Fill,
    OrderRequest,
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
from execution.venues.interface import VenueEventKind
from sluice.errors import InputError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.risk.v1 import order_pb2
from tests.execution.builders import BTC, CATALOG, an_order
from tests.execution.rig import an_order_message

amounts = st.decimals(min_value=0, max_value=10**9, places=8).map(lambda value: value.normalize() + 0)
prices = st.one_of(st.none(), amounts)
fills = st.builds(Fill, st.text(min_size=1, max_size=20), amounts, amounts, amounts.map(lambda value: -value),
                  st.sampled_from(["USDT", "BTC"]), st.booleans())


@pytest.mark.parametrize(("ours", "theirs", "prefix"), [
    (Side, order_pb2.Side, "SIDE_"), (PositionSide, order_pb2.PositionSide, "POSITION_SIDE_"),
    (OrderType, order_pb2.OrderType, "ORDER_TYPE_"), (TimeInForce, order_pb2.TimeInForce, "TIME_IN_FORCE_"),
    (TriggerPrice, order_pb2.TriggerPrice, "TRIGGER_PRICE_"), (PriceMatch, order_pb2.PriceMatch, "PRICE_MATCH_"),
    (SelfTradePrevention, order_pb2.SelfTradePrevention, "SELF_TRADE_PREVENTION_"),
    (OrderStatus, messages.OrderStatus, "ORDER_STATUS_"), (ReportKind, messages.ReportKind, "REPORT_KIND_")])
def test_every_enum_has_the_contract_s_names_and_numbers(ours: type, theirs: object, prefix: str) -> None:
    contract = {name.removeprefix(prefix): number for name, number in theirs.items()}  # type: ignore[attr-defined]
    assert {member.name: member.value for member in ours} == {  # type: ignore[attr-defined]
        name: number for name, number in contract.items() if name != "UNSPECIFIED"}


def test_a_venue_s_event_kind_is_a_report_kind() -> None:
    assert all(ReportKind(kind.value).name == kind.name for kind in VenueEventKind)


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


@pytest.mark.parametrize("quantity", ["", "1,5", " 1", "1e3", "inf", "NaN", "0x10", "١"])
def test_a_quantity_that_is_no_plain_decimal_is_refused(quantity: str) -> None:
    with pytest.raises(InputError, match="quantity must be"):
        read_order(an_order_message(quantity=quantity), "sl1", CATALOG)


def test_a_state_says_nothing_about_a_price_before_the_first_fill() -> None:
    message = write_state(an_order("2"))
    assert (message.average_price, message.filled_quantity, message.fees) == ("", "0", "0")
    assert Decimal(message.order.quantity) == 2
