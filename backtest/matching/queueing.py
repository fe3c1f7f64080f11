"""How a resting order moves forward in the queue of its price.

An order has `queue_ahead`, the lots that fill before it does, which starts at the displayed lots of its price. A trade
of q lots at the price lowers it by q; what goes below zero reaches the order. What a change of the displayed quantity
does depends on the model, with `before` and `now` the displayed lots, `front` = queue_ahead, `back` = before - front:

* RISK_AVERSE: front' = min(front, now). Cancels are thought to happen behind us.
* probabilistic: the decrease that trades since the last change do not explain, d = before - now - traded_since, is
  shared: front' = min(front - (1 - p) d + min(back - p d, 0), now), p being the probability that it happened behind.
  An increase leaves front as it is. The models of p are in `behind`.
* FIFO: nothing; single orders of the market move it (`market_orders`).

Sources: E. Rigtorp, "Estimating order queue position" (2013, rigtorp.se); the power and logarithmic families are those
of hftbacktest (hftbacktest.readthedocs.io, "Order Fill", probability queue models), so that runs can be compared.
Different from there: where a model has no value (0/0, a root of a negative number), the order keeps its place or moves
up to `now`; it never falls back. And nobody is less than nobody: where a model says that more went from before us than
there was, front' is 0, not negative, or the next trade would fill more than it was.
"""

import math

from backtest.kernels import part
from backtest.matching.cells import find
from backtest.matching.entries import range_of_key
from backtest.matching.entry_points import ENTRIES
from backtest.matching.memory import cell_at, core_of, entry_at, half_of, length_of, order_at
from backtest.matching.state import ASKS, BIDS, QueueModel
from dataflows.kernels import Record

_RISK_AVERSE, _FIFO = int(QueueModel.RISK_AVERSE), int(QueueModel.FIFO)
_POWER, _POWER_2, _POWER_3 = int(QueueModel.POWER), int(QueueModel.POWER_2), int(QueueModel.POWER_3)
_LOG = int(QueueModel.LOG)


@ENTRIES.entry
def on_displayed(state: int, side: int, price_ticks: int, before: int, now: int) -> None:
    """Tell the queues of a price that its displayed lots have changed."""
    which = BIDS if side > 0 else ASKS
    start, end = range_of_key(state, which, side * price_ticks)
    for at in range(start, end):
        order = order_at(state, entry_at(state, which, at).slot)
        _move(core_of(state), order, before, now)


@part
def clamp_all(state: int, which: int, side: int) -> None:
    """Bound the queues of one side's orders by what a new snapshot displays; see `ladder.clear_book`."""
    half = half_of(state, side)
    for at in range(length_of(state, which)):
        order = order_at(state, entry_at(state, which, at).slot)
        cell = find(half, order.price_ticks)
        order.traded_since = 0.0
        order.queue_ahead = min(order.queue_ahead, cell_at(half, cell).lots if cell >= 0 else 0)


@part
def _move(core: Record, order: Record, before: int, now: int) -> None:
    if core.queue_model == _FIFO or core.cleared:
        return
    if core.queue_model == _RISK_AVERSE:
        order.queue_ahead = min(order.queue_ahead, now)
        return
    decrease = before - now - order.traded_since
    order.traded_since = 0.0
    front = order.queue_ahead
    if decrease < 0.0:
        order.queue_ahead = min(front, now)
        return
    back = before - front
    share = behind(core.queue_model, core.queue_power, core.quantity_per_lot, front, back)
    moved = front - (1.0 - share) * decrease + min(back - share * decrease, 0.0)
    order.queue_ahead = min(front if math.isnan(moved) else max(moved, min(front, 0.0)), now)


@part
def behind(model: int, power: float, quantity_per_lot: float, front: float, back: float) -> float:
    """Return the probability that a decrease happened behind us; 1 where the model says infinity, NaN for 0/0."""
    if model == _POWER:
        share = back**power / (back**power + front**power)
    elif model == _POWER_2:
        share = back**power / (back + front) ** power
    elif model == _POWER_3:
        share = 1.0 - (front / (front + back)) ** power
    else:
        of_back, of_front = math.log(1.0 + back * quantity_per_lot), math.log(1.0 + front * quantity_per_lot)
        whole = math.log(1.0 + (back + front) * quantity_per_lot)
        share = of_back / (of_back + of_front) if model == _LOG else of_back / whole
    return 1.0 if math.isinf(share) else share


@part
def pass_queue(order: Record, lots: int) -> int:
    """Let lots trade at the order's price and return how many of them reach it, to the nearest lot."""
    order.queue_ahead -= lots
    order.traded_since += lots
    if order.queue_ahead > -0.5:
        return 0
    return int(math.floor(0.5 - order.queue_ahead))  # noqa: RUF046  # a float in a kernel


@part
def step_up(order: Record, reached: int) -> None:
    """Count the lots that reached an order as gone, so that they reach it once."""
    if reached > 0:
        order.queue_ahead = min(order.queue_ahead + reached, 0.0)
