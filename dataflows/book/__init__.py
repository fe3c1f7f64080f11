"""The order book of one instrument, kept by the venue's sequence rules in a record of a fixed dtype.

`state` is the record. `sides` and `single` change one side of it, which is a `window` of ticks and what lies `far`
below; `reading` reads it. `sync` holds the sequence rules, with what is `pending` and in `reserve`. `order_book` is the
class that others use. The market actor holds the same record inside its own.
"""

from dataflows.book.order_book import OrderBook
from dataflows.book.state import BookResult, BookSide

__all__ = ["BookResult", "BookSide", "OrderBook"]
