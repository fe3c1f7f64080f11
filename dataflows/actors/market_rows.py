"""What a market actor hands on at a tick: the top of the book and the row of features."""

import msgspec

from dataflows.actors.market_health import BookHealth


class BookTop(msgspec.Struct, frozen=True, gc=False):
    """The best prices as of a tick; NaN where unknown.

    They come from the depth book or from a later best-price message, whichever the venue numbered higher. Nothing may
    be traded on it unless `synced`: it is False from a break in the book's sequence until a snapshot has been joined
    to the stream again, and while a side is empty. `event_time_ns` is the receive time of the last event that touched
    the book (0: none yet). Quantities are in base units (linear) or contracts (inverse).
    """

    best_bid: float
    best_bid_quantity: float
    best_ask: float
    best_ask_quantity: float
    mark_price: float
    synced: bool
    event_time_ns: int


class FeatureRow(msgspec.Struct, frozen=True, gc=False):
    """The features of one instrument as of one tick of event time.

    `values` and `valid` are in the order of the schema of `schema_hash`; a value is NaN where it is not valid.
    `sequence` numbers an instrument's rows from 1 without holes. `events` and `dead_letters` count frames since the
    actor's beginning: each frame is one or the other. `health` says how the book has fared since then.
    """

    instrument: str
    event_time_ns: int
    sequence: int
    schema_hash: str
    values: tuple[float, ...]
    valid: tuple[bool, ...]
    top: BookTop
    events: int
    dead_letters: int
    health: BookHealth = BookHealth()
