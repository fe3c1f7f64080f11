"""Messages between the strategy's side and the exchange: two rings an instrument, in which nothing overtakes.

A ring starts over at its beginning whenever it is empty, so it touches only as much memory as was ever on its way.
"""

from backtest.kernels import inlined, part
from backtest.replay.entry_points import ENTRIES
from backtest.replay.layout import FULL_MESSAGES, NEVER
from backtest.replay.memory import asset_at, clock_of, latency_at, request_at, response_at, row_at
from dataflows.kernels import Record


@ENTRIES.entry
def request_latency(view: int, asset: int, sent_ns: int) -> int:
    """Return the latency there, interpolated by the time of sending."""
    of = asset_at(view, asset)
    first, end = of.latency_offset, of.latency_offset + of.latency_count
    low, high = first, end
    while low < high:
        middle = (low + high) >> 1
        if latency_at(view, middle).request_ns <= sent_ns:
            low = middle + 1
        else:
            high = middle
    before, after = latency_at(view, max(low - 1, first)), latency_at(view, min(low, end - 1))
    return _between(
        sent_ns, before.request_ns, after.request_ns, before.exchange_ns - before.request_ns,
        after.exchange_ns - after.request_ns)


@ENTRIES.entry
def response_latency(view: int, asset: int, answered_ns: int) -> int:
    """Return the latency back, interpolated by the time at the exchange."""
    of = asset_at(view, asset)
    first, end = of.latency_offset, of.latency_offset + of.latency_count
    low, high = first, end
    while low < high:
        middle = (low + high) >> 1
        if latency_at(view, middle).exchange_ns <= answered_ns:
            low = middle + 1
        else:
            high = middle
    before, after = latency_at(view, max(low - 1, first)), latency_at(view, min(low, end - 1))
    return _between(
        answered_ns, before.exchange_ns, after.exchange_ns, before.response_ns - before.exchange_ns,
        after.response_ns - after.exchange_ns)


@part
def _between(time_ns: int, start_ns: int, end_ns: int, value: int, next_value: int) -> int:
    if end_ns <= start_ns or time_ns <= start_ns:
        return value
    return int(value + (next_value - value) * ((time_ns - start_ns) / (end_ns - start_ns)))


@ENTRIES.entry
def send_request(view: int, asset: int, kind: int, order_id: int, price_ticks: int, lots: int) -> None:
    """Send a request to the exchange."""
    of, clock = asset_at(view, asset), clock_of(view)
    if of.request_head == of.request_tail:
        of.request_head = of.request_tail = 0
    if of.request_tail - of.request_head == clock.messages:
        clock.problem = FULL_MESSAGES
        return
    arrival_ns = clock.now_ns + request_latency(view, asset, clock.now_ns)
    if of.request_head < of.request_tail:
        before = request_at(view, asset, (of.request_tail - 1) & (clock.messages - 1))
        arrival_ns = max(arrival_ns, before.arrival_ns)
    message = request_at(view, asset, of.request_tail & (clock.messages - 1))
    message.arrival_ns = arrival_ns
    message.kind = kind
    message.order_id = order_id
    message.price_ticks = price_ticks
    message.lots = lots
    of.request_tail += 1


@part
def next_response(view: int, asset: int, exchange_ns: int, kind: int, order_id: int, reason: int) -> Record:
    """Return the message that the exchange sends now, to be filled in; the ring's last one where it is full."""
    of, clock = asset_at(view, asset), clock_of(view)
    if of.response_head == of.response_tail:
        of.response_head = of.response_tail = 0
    before = response_at(view, asset, (of.response_tail - 1) & (clock.messages - 1))
    if of.response_tail - of.response_head == clock.messages:
        clock.problem = FULL_MESSAGES
        return before
    arrival_ns = exchange_ns + response_latency(view, asset, exchange_ns)
    if of.response_head < of.response_tail:
        arrival_ns = max(arrival_ns, before.arrival_ns)
    message = response_at(view, asset, of.response_tail & (clock.messages - 1))
    message.arrival_ns = arrival_ns
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


@inlined
def request_time(view: int, asset: int) -> int:
    """Return when the next request arrives at the exchange, `NEVER` where none is on its way."""
    of = asset_at(view, asset)
    if of.request_head == of.request_tail:
        return NEVER
    return int(request_at(view, asset, of.request_head & (clock_of(view).messages - 1)).arrival_ns)


@inlined
def response_time(view: int, asset: int) -> int:
    """Return when the next answer arrives at the strategy, `NEVER` where none is on its way."""
    of = asset_at(view, asset)
    if of.response_head == of.response_tail:
        return NEVER
    return int(response_at(view, asset, of.response_head & (clock_of(view).messages - 1)).arrival_ns)


@part
def next_exchange_time(view: int, asset: int) -> int:
    """Return when something happens next at the exchange, `NEVER` where nothing will; it may be a row of no concern."""
    of = asset_at(view, asset)
    found = min(request_time(view, asset), int(of.timer_ns))
    if of.exchange_at < of.rows:
        found = min(found, int(row_at(of, of.exchange_at).exch_ts))
    return found
