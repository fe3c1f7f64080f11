"""The kernels do what the plain decimal engine does, event for event."""

from decimal import Decimal

from hypothesis import example, given, settings

from sluice.orders import SelfTradePrevention, Side, TimeInForce
from tests.backtest.matching.side_by_side import Both, Step, scripts

PRICE, QUANTITY, NONE, BOTH = Decimal(99), Decimal("1.011"), SelfTradePrevention.NONE, SelfTradePrevention.EXPIRE_BOTH
#: An order takes a level and meets one of its own account with the rest: the order that rested is told to end first.
MEETING: list[Step] = [
    ("snapshot", {}, {PRICE: Decimal("0.001")}),
    ("submit", Side.SELL, PRICE, QUANTITY, TimeInForce.GTC, False, NONE),
    ("submit", Side.BUY, PRICE, QUANTITY, TimeInForce.GTC, False, BOTH),
]


@given(scripts)
@example(MEETING)
@settings(max_examples=400, deadline=None)
def test_kernels_say_what_the_reference_says(script: list[Step]) -> None:
    both = Both()
    both.play(script)

    assert both.ours == both.theirs
    assert both.matching.position() == both.market.engine.position.quantity
    left = [(order.order_id, order.remaining, order.queue_ahead) for order in both.matching.open_orders()]
    assert left == [
        (int(order.request.client_order_id), order.remaining, order.queue_ahead)
        for order in both.market.engine.open_orders]


@given(scripts)
@settings(max_examples=100, deadline=None)
def test_what_is_submitted_is_filled_ended_or_left(script: list[Step]) -> None:
    both = Both()
    both.play(script)

    left = {order.order_id: order.remaining for order in both.matching.open_orders()}
    ended = {number for number, kind, *_ in both.ours if kind in ("CANCELED", "EXPIRED")}
    for number, quantity in both.lots.items():
        kinds = [kind for told, kind, *_ in both.ours if told == number]
        if not kinds or kinds[0] == "REJECTED":
            assert number not in left
            continue
        filled = sum((lots for told, kind, _, lots, _ in both.ours if told == number and kind == "FILL"), Decimal(0))
        assert kinds[0] == "ACCEPTED"
        assert (number in ended) + (number in left) + (filled == quantity) == 1
        assert left.get(number, quantity - filled) == quantity - filled
