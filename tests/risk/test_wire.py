"""The edge: what is unreadable becomes a problem, and what is signed holds nothing that risk has not read."""

from dataclasses import replace
from decimal import Decimal

from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from risk import wire
from risk.domain import Order, ReasonCode
from sluice.market.v1.market_pb2 import BookTop
from sluice.orders import (
    AlgorithmKind,
    Member,
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk
from tests.risk.builders import NOON, codes, decide, engine, order

_amounts = st.none() | st.decimals("0", "99999999", places=8).map(lambda value: value.normalize() + 0)


def _stated(kind: type[Member]) -> st.SearchStrategy[Member | None]:
    return st.none() | st.sampled_from(kind)


_orders = st.builds(
    Order, instrument=st.text(max_size=20), side=_stated(Side), position_side=_stated(PositionSide),
    type=_stated(OrderType), time_in_force=_stated(TimeInForce), quantity=_amounts, price=_amounts,
    stop_price=_amounts, trigger_price=_stated(TriggerPrice), callback_rate_percent=_amounts,
    activation_price=_amounts, reduce_only=st.booleans(), close_position=st.booleans(),
    good_till_time_ns=st.integers(0, 2**62), self_trade_prevention=_stated(SelfTradePrevention),
    price_match=_stated(PriceMatch), price_protect=st.booleans(), algorithm=_stated(AlgorithmKind))


@given(wanted=_orders)
def test_an_order_survives_the_way_to_bytes_and_back(wanted: Order) -> None:
    written = orders.Order.FromString(wire.order_message(wanted).SerializeToString())
    assert wire.read_order(written) == wanted


def test_bytes_that_risk_does_not_know_are_never_signed() -> None:
    message = wire.order_message(order())
    smuggled = orders.Order.FromString(message.SerializeToString() + b"\xfa\x3e\x03999")  # field 1007, "999"
    assert smuggled.SerializeToString() != message.SerializeToString()
    assert wire.order_message(wire.read_order(smuggled)).SerializeToString() == message.SerializeToString()


@given(garbage=st.binary(max_size=200))
def test_any_bytes_that_parse_as_an_intent_are_decided_and_never_crash(garbage: bytes) -> None:
    try:
        message = risk.OrderIntent.FromString(garbage)
    except DecodeError:
        return
    read = wire.read_intent(message)
    assert not decide(engine(), read.order, problems=read.problems).approved


@given(text=st.text(max_size=12))
def test_a_number_that_does_not_parse_is_a_problem_and_a_veto(text: str) -> None:
    message = risk.OrderIntent(intent_id="i", strategy="s", event_time_ns=NOON, order=wire.order_message(order()))
    message.order.quantity = text
    read = wire.read_intent(message)
    if read.order.quantity is None and text:
        assert any("quantity" in problem for problem in read.problems)
        assert ReasonCode.INTENT_MALFORMED in codes(decide(engine(), read.order, problems=read.problems))


def test_unknown_enum_numbers_and_huge_amounts_are_problems() -> None:
    message = risk.OrderIntent(order=wire.order_message(order()))
    message.order.side = 77  # type: ignore[assignment]  # what a newer client may send
    message.order.price = "1000000000000"
    read = wire.read_intent(message)
    assert read.order.side is None
    assert read.problems == (
        "side must be a known Side, was 77", "price must be below 1000000000000, was 1000000000000")


def test_a_top_with_missing_crossed_or_unreadable_prices_is_out_of_sync() -> None:
    good = BookTop(instrument="x", best_bid="10", best_ask="11", mark_price="10.5", synced=True)
    assert wire.read_top(good).synced
    for bid, ask in (("", "11"), ("10", "NaN"), ("11", "11"), ("10", "-1"), ("1e5", "11")):
        assert not wire.read_top(BookTop(instrument="x", best_bid=bid, best_ask=ask, synced=True)).synced
    assert wire.read_top(BookTop(instrument="x", best_bid="10", best_ask="11", mark_price="0")).mark_price is None


def test_a_kept_top_reads_back_as_it_was() -> None:
    top = wire.read_top(BookTop(instrument="x", event_time_ns=5, best_bid="10", best_ask="11", synced=True))
    assert wire.read_top(wire.top_message(top)) == top
    assert replace(top, mark_price=Decimal(1)) != top
