"""The kernels that a loop or a server calls, gathered: `from backtest.matching import kernel as matching`.

How to drive one instrument's matching, in the order of the exchange's time:

    owner = new_state(queue_model=QueueModel.POWER, partial_fills=False)      # Python, once (`arrays`)
    state = owner.address                                                     # what kernels are given
    if needs_room(state): owner.make_room()                                   # before each command or batch; cheap
    apply_level(state, side, price_ticks, lots)                               # each named level; 0 lots removes
    end_of_batch(state, venue_time, now_ns)                                   # once after a batch (or after each level)
    on_trade(state, aggressor_side, price_ticks, lots, venue_time, now_ns)
    on_mark(state, mark_nanoticks, now_ns)
    expire_until(state, now_ns)
    reason = submit(state, order_id, side, ORDER_TYPE, TIME_IN_FORCE, price_ticks, lots, position_side, prevention,
                    reduce_only, good_till_ns, now_ns)                        # 0, or a `Reason` of refusal
    for row in owner.outputs: row["order_id"] ...                             # what happened, in order
    clear_outputs(state)

Enumerations are the numbers of `sluice.orders` (OrderType, TimeInForce, PositionSide, SelfTradePrevention), except a
side: 1 is BUY, -1 SELL. `venue_time` is any clock of the venue that never goes back, in one unit throughout (frames:
milliseconds; events: nanoseconds). `now_ns` only stamps the outputs.

The owner must live as long as its address is used. In a kernel, `memory` reaches the records.

A snapshot is `clear_book`, its levels, `set_synced(state, 1)`, `end_of_batch`. Orders are refused while not synced.
"""

from backtest.matching.capacity import needs_room, outputs_ahead
from backtest.matching.ladder import (
    apply_level,
    available_at,
    best_ask,
    best_bid,
    clear_book,
    clear_range,
    clear_side,
    next_price,
    quantity_at,
)
from backtest.matching.market_orders import (
    add_market_order,
    cancel_market_order,
    fill_market_order,
    modify_market_order,
)
from backtest.matching.outputs import clear_outputs
from backtest.matching.resting import end_of_batch, expire_until, next_expiry_ns, on_trade
from backtest.matching.slots import find_order
from backtest.matching.submission import amend, cancel, cancel_all, submit
from backtest.matching.triggers import on_mark, place_conditional, would_trigger
from backtest.matching.values import set_position, set_price_bounds, set_synced

__all__ = [
    "add_market_order", "amend", "apply_level", "available_at", "best_ask", "best_bid", "cancel",
    "cancel_all", "cancel_market_order", "clear_book", "clear_outputs", "clear_range", "clear_side", "end_of_batch",
    "expire_until", "fill_market_order", "find_order", "modify_market_order", "needs_room", "next_expiry_ns",
    "next_price", "on_mark", "on_trade", "outputs_ahead", "place_conditional", "quantity_at", "set_position",
    "set_price_bounds", "set_synced", "submit", "would_trigger",
]
