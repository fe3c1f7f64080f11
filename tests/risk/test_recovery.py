"""What was approved is set aside again after a restart, as it was."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk import wire
from risk.domain import Order
from risk.records import DecisionRecord
from risk.recovery import reservation_of
from sluice.errors import InvariantError
from sluice.orders import Side
from tests.risk.builders import BTC, CATALOG, NOON, order


def record(approved: Order) -> DecisionRecord:
    return DecisionRecord(
        sequence=1, decision_id="d-1", intent_id="follow/1", intent=b"", approved=True,
        order_bytes=wire.order_message(approved).SerializeToString(), reasons=b"", event_time_ns=NOON, risk_epoch=1,
        report_sequence=0, signed_approval=b"", expires_at_ns=NOON + 5, reserved_quantity=Decimal("0.1"),
        worst_price=Decimal(50_000), reserved_notional=Decimal(5_000))


@pytest.mark.parametrize("side", Side)
def test_an_approval_is_reserved_again_on_its_side(side: Side) -> None:
    held = reservation_of(record(order(side=side)), CATALOG)
    assert (held.instrument.key, held.side, held.quantity, held.notional) == (BTC, side, Decimal("0.1"), Decimal(5_000))


def test_a_journalled_approval_without_a_side_stops_the_recovery() -> None:
    with pytest.raises(InvariantError, match="must have a side"):
        reservation_of(record(replace(order(), side=None)), CATALOG)
