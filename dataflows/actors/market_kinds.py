"""Kinds of events that only the general way of decoding gives, beside those of `codecs.quick_frame`.

They are written into the same record as the frequent ones, so that one kernel takes in every event.
"""

#: A REST snapshot of the book: `last_update_id` and the levels.
SNAPSHOT = 100
#: A difference or a snapshot with a price that is no multiple of the tick.
OFF_TICK_UPDATE, OFF_TICK_SNAPSHOT = 101, 102
#: Open interest: `quantity` contracts or base units.
OPEN_INTEREST = 103
#: A liquidation: `price`, `quantity`, and `buyer_is_maker` 1 where the order sells, that is, a long was closed.
LIQUIDATION = 104
#: An event from which no feature is made.
OTHER = 105
#: A trade that is no print of the order book, as of the insurance fund: its id and times are judged, nothing is made
#: of it.
OTHER_TRADE = 106
