"""Messages between the strategy's side and the exchange: two rings an instrument, in which nothing overtakes.

A ring starts over at its beginning whenever it is empty, so it touches only as much memory as was ever on its way.
"""

from backtest.kernels import kernel
from backtest.replay.layout import FULL_MESSAGES, NEVER, HotView
from dataflows.kernels import Record, RecordArray


@kernel
def _interpolated(samples: RecordArray, first: int, count: int, time_ns: int, back: bool) -> int:
    """Return the latency there by the time of sending, or back by the time at the exchange."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) >> 1
        sample = samples[middle]
        if (sample.exchange_ns if back else sample.request_ns) <= time_ns:
            low = middle + 1
        else:
            high = middle
    before, after = samples[max(low - 1, first)], samples[min(low, first + count - 1)]
    if back:
        start, end = before.exchange_ns, after.exchange_ns
        value, next_value = before.response_ns - start, after.response_ns - end
    else:
        start, end = before.request_ns, after.request_ns
        value, next_value = before.exchange_ns - start, after.exchange_ns - end
    if end <= start or time_ns <= start:
        return int(value)
    return int(value + (next_value - value) * ((time_ns - start) / (end - start)))


@kernel
def _not_before(ring: RecordArray, head: int, tail: int, arrival_ns: int) -> int:
    """Return when a message arrives that does not overtake the one before it."""
    return arrival_ns if head == tail else max(arrival_ns, ring[(tail - 1) & (ring.size - 1)].arrival_ns)


@kernel
def send_request(
    view: HotView, asset: int, kind: int, order_id: int, price_ticks: int, lots: int, now_ns: int,
) -> None:
    """Send a request to the exchange."""
    of, ring = view.assets[asset], view.requests[asset]
    if of.request_head == of.request_tail:
        of.request_head = of.request_tail = 0
    if of.request_tail - of.request_head == ring.size:
        view.clock[0].problem = FULL_MESSAGES
        return
    way = _interpolated(view.latency, of.latency_offset, of.latency_count, now_ns, False)
    message = ring[of.request_tail & (ring.size - 1)]
    message.arrival_ns = _not_before(ring, of.request_head, of.request_tail, now_ns + way)
    message.kind = kind
    message.order_id = order_id
    message.price_ticks = price_ticks
    message.lots = lots
    of.request_tail += 1


@kernel
def next_response(view: HotView, asset: int, exchange_ns: int, kind: int, order_id: int, reason: int) -> Record:
    """Return the message that the exchange sends now, to be filled in; the ring's last one where it is full."""
    of, ring = view.assets[asset], view.responses[asset]
    if of.response_head == of.response_tail:
        of.response_head = of.response_tail = 0
    if of.response_tail - of.response_head == ring.size:
        view.clock[0].problem = FULL_MESSAGES
        return ring[(of.response_tail - 1) & (ring.size - 1)]
    way = _interpolated(view.latency, of.latency_offset, of.latency_count, exchange_ns, True)
    message = ring[of.response_tail & (ring.size - 1)]
    message.arrival_ns = _not_before(ring, of.response_head, of.response_tail, exchange_ns + way)
    message.exchange_ns = exchange_ns
    message.kind = kind
    message.order_id = order_id
    message.reason = reason
    message.price_ticks = 0
    message.lots = 0
    message.remaining_lots = 0
    message.maker = 0
    message.amount = 0.0
    of.response_tail += 1
    return message


@kernel
def request_time(view: HotView, asset: int) -> int:
    """Return when the next request arrives at the exchange, `NEVER` where none is on its way."""
    of = view.assets[asset]
    if of.request_head == of.request_tail:
        return NEVER
    ring = view.requests[asset]
    return int(ring[of.request_head & (ring.size - 1)].arrival_ns)


@kernel
def response_time(view: HotView, asset: int) -> int:
    """Return when the next answer arrives at the strategy, `NEVER` where none is on its way."""
    of = view.assets[asset]
    if of.response_head == of.response_tail:
        return NEVER
    ring = view.responses[asset]
    return int(ring[of.response_head & (ring.size - 1)].arrival_ns)
