"""Which keys of Binance's frequent frames the quick reader watches, and which of them each kind of frame has.

A watched key is one letter, or `pu`. What is read of it goes to a slot; a bit says that it was seen. One letter may
mean a decimal in quotes (`a`: the best ask), a whole number (`a`: the id of an aggregate trade) or a list of levels
(`a`: the asks); each has a bit of its own.
"""

import numpy as np
from numpy.typing import NDArray

from dataflows.codecs.quick_frame import DECIMAL_SLOTS, WHOLE_SLOTS

#: Codes of keys: the letter, 1 for `pu`, 0 for any other.
OTHER, PREVIOUS = 0, 1
EVENT, SYMBOL, EXECUTION, MAKER, BIDS, ASKS, FUNDING_RATE = (ord(letter) for letter in "esXmbar")
_CODES = 128

#: Slots of decimals in quotes.
BID, BID_QUANTITY, ASK, ASK_QUANTITY, PRICE, QUANTITY, INDEX, RATE = range(DECIMAL_SLOTS)
#: Slots of whole numbers.
(EVENT_TIME, TIME, FIRST_ID, LAST_ID, PREVIOUS_ID, TRADE_ID, AGGREGATE_ID, FIRST_TRADE, LAST_TRADE,
 ) = range(WHOLE_SLOTS)


def _slots(keys: str) -> NDArray[np.int64]:
    """Return the slot of each code, -1 where it has none."""
    table = np.full(_CODES, -1)
    for slot, letter in enumerate(keys):
        table[ord(letter)] = slot
    return table


#: The slot of a code's decimal in quotes, or of its whole number; -1 where the key is never such a one.
DECIMAL_SLOT, WHOLE_SLOT = _slots("bBaApqir"), _slots(f"ETUu{chr(PREVIOUS)}tafl")
#: Codes that are never a text of no interest, or never a plain number or truth value of no interest.
IS_WATCHED = (DECIMAL_SLOT >= 0) | (WHOLE_SLOT >= 0)
IS_WATCHED[[EVENT, SYMBOL, EXECUTION, MAKER]] = True

# Bits of what was seen: first those of the decimals, then those of the whole numbers.
FIRST_WHOLE_BIT = 1 << DECIMAL_SLOTS
SAW_EVENT, SAW_SYMBOL, SAW_EXECUTION, SAW_MAKER, SAW_BIDS, SAW_ASKS = (
    1 << bit for bit in range(DECIMAL_SLOTS + WHOLE_SLOTS, DECIMAL_SLOTS + WHOLE_SLOTS + 6))


def _decimals(*slots: int) -> int:
    return sum(1 << slot for slot in slots)


def _wholes(*slots: int) -> int:
    return sum(FIRST_WHOLE_BIT << slot for slot in slots)


_COMMON = SAW_EVENT | SAW_SYMBOL
#: What each kind must have.
TICKER_FIELDS = _COMMON | _wholes(LAST_ID) | _decimals(BID, BID_QUANTITY, ASK, ASK_QUANTITY)
TRADE_FIELDS = _COMMON | SAW_MAKER | _decimals(PRICE, QUANTITY)
DEPTH_FIELDS = _COMMON | SAW_BIDS | SAW_ASKS | _wholes(FIRST_ID, LAST_ID, PREVIOUS_ID)
MARK_FIELDS = _COMMON | _decimals(PRICE)
#: What each kind may have besides; with any other watched field it is not in its usual form.
TIMES = _wholes(EVENT_TIME, TIME)
TRADE_MORE = TIMES | SAW_EXECUTION | _wholes(TRADE_ID)
AGGREGATE_MORE = TIMES | _wholes(AGGREGATE_ID, FIRST_TRADE, LAST_TRADE)
MARK_MORE = TIMES | _decimals(INDEX, RATE)


def text(characters: str) -> NDArray[np.uint8]:
    """Return characters as kernels take them."""
    return np.frombuffer(characters.encode(), np.uint8)


TICKER_NAME, TRADE_NAME, AGGREGATE_NAME = text("bookTicker"), text("trade"), text("aggTrade")
DEPTH_NAME, MARK_NAME = text("depthUpdate"), text("markPriceUpdate")
