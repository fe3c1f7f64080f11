"""Reaching the records of a hot view by its address, in kernels: nothing here checks an index."""

from backtest.memory import element_of, record_of, row_element_of
from backtest.replay.layout import (
    ASSET,
    CLOCK,
    FILL,
    FUNDING_EVENT,
    LATENCY,
    NUMBER,
    ORDER,
    POINT,
    POSITION,
    REQUEST,
    RESPONSE_MESSAGE,
)
from dataflows.tapes.rows import EVENT_DTYPE

#: The view's first record.
clock_of = record_of(CLOCK)
asset_at = element_of(CLOCK, "assets", ASSET)
#: A position, (view, asset, 0 for BOTH, 1 for LONG, 2 for SHORT).
position_at = row_element_of(CLOCK, "positions", POSITION, 3)
#: Lots of a price, (view, the asset's depth_offset + ticks).
bid_at = element_of(CLOCK, "bids", NUMBER)
ask_at = element_of(CLOCK, "asks", NUMBER)
#: The row of a trade that was received, (view, the asset's trades_offset + number).
trade_at = element_of(CLOCK, "trades", NUMBER)
order_at = element_of(CLOCK, "orders_address", ORDER)
#: A message on its way, (view, asset, place in the ring).
request_at = row_element_of(CLOCK, "requests", REQUEST, "messages")
response_at = row_element_of(CLOCK, "responses", RESPONSE_MESSAGE, "messages")
update_at = element_of(CLOCK, "updates_address", RESPONSE_MESSAGE)
fill_at = element_of(CLOCK, "fills_address", FILL)
#: A point of the curve, (view, time's number, asset).
point_at = row_element_of(CLOCK, "curve_address", POINT, "asset_count")
funding_at = element_of(CLOCK, "funding", FUNDING_EVENT)
latency_at = element_of(CLOCK, "latency", LATENCY)
#: A row of an instrument, (asset's record, index).
row_at = element_of(ASSET, "rows_address", EVENT_DTYPE)
