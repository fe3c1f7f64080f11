"""One instrument's recorded market: its frames applied to a book, and told to the matching engine.

Only what matching needs is decoded: depth, trades and the mark price. A frame that cannot be used changes nothing here;
the market actor counts it as a dead letter.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from backtest.matching.engine import FeeRates, MatchingEngine, Trade
from backtest.matching.liquidity import Touched, everything
from dataflows.book import BookResult, BookSide, OrderBook
from dataflows.codecs import binance
from dataflows.codecs.binance_events import AggregateTrade, DepthSnapshot, DepthUpdate, MarkPrice
from dataflows.codecs.binance_events import Trade as TradeEvent
from dataflows.codecs.levels import Levels
from execution.venues.interface import VenueEvent
from sluice.decimals import ZERO
from sluice.instruments import Instrument
from sluice.orders import Side

#: Levels that are asked for at first, and where those are used up; few orders look further than the first few.
_DEPTHS = (8, 64, 4096)
_SIDES = {Side.BUY: BookSide.BID, Side.SELL: BookSide.ASK}
_CHANGED = (BookResult.APPLIED, BookResult.LOADED, BookResult.REJOINED)
_TRANSACTION_TIME = re.compile(rb'"T"\s*:\s*(\d{1,16})')
_EVENT = b'"e":"'
_UPDATE = b'{"e":"depthUpdate","s":"%b","U":2,"u":2,"pu":1,"b":[["%b","2"]],"a":[]}'
_UNUSED = (b"bookTicker", b"kline", b"forceOrder")


class RecordedBook:
    """The recorded book as matching sees it: exact decimals, a side by BUY (bids) or SELL (asks)."""

    def __init__(self, tick_size: Decimal) -> None:
        self.recorded = OrderBook(tick_size)

    @property
    def synced(self) -> bool:
        """Tell whether the book is whole."""
        return self.recorded.synced

    def quantity_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the displayed quantity at a price on a tick; zero where there is none or none is known."""
        quantity = self.recorded.quantity_at(_SIDES[side], price)
        return exact(quantity) if quantity > 0.0 else ZERO

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield (price, quantity) from the best level on."""
        given = 0
        for depth in _DEPTHS:
            levels = self.recorded.levels(_SIDES[side], depth)
            for price, quantity in levels[given:]:
                yield price, exact(quantity)
            if len(levels) < depth:
                return
            given = depth


class InstrumentMarket:
    """A matching engine with the recorded market that it is fed with."""

    def __init__(self, instrument: Instrument, fees: FeeRates) -> None:
        self.book = RecordedBook(instrument.tick_size)
        self.engine = MatchingEngine(instrument, self.book, fees)
        self._was_synced = False
        self._has_single_trades = False

    def on_frame(self, payload: bytes, now_ns: int) -> list[VenueEvent]:
        """Apply a frame of this instrument and return what it did to our orders."""
        event = binance.decode(payload)
        if isinstance(event, DepthUpdate):
            return self._on_update(event, transaction_time(payload), now_ns)
        if isinstance(event, DepthSnapshot):
            result = self.book.recorded.apply_snapshot(event.last_update_id, event.bids, event.asks)
            return self._on_book(result, everything, transaction_time(payload), now_ns)
        if isinstance(event, TradeEvent | AggregateTrade):
            return self._on_trade(event, transaction_time(payload), now_ns)
        if isinstance(event, MarkPrice):
            self.engine.on_mark_price(exact(event.price))
        return []

    def _on_update(self, event: DepthUpdate, time: int, now_ns: int) -> list[VenueEvent]:
        result = self.book.recorded.apply_update(
            event.first_update_id, event.last_update_id, event.previous_update_id, event.bids, event.asks)
        return self._on_book(result, _named_in(event), time, now_ns)

    def _on_book(self, result: BookResult, touched: Touched, time: int, now_ns: int) -> list[VenueEvent]:
        joined = self.book.synced and not self._was_synced
        self._was_synced = self.book.synced
        if result not in _CHANGED:
            return []
        # A snapshot and what waited for it may differ from the book before at any level.
        anywhere = joined or result is BookResult.REJOINED
        return self.engine.on_book(everything if anywhere else touched, time, now_ns)

    def _on_trade(self, event: TradeEvent | AggregateTrade, time: int, now_ns: int) -> list[VenueEvent]:
        """Count each trade once: where the tape has single trades, aggregate ones only repeat them."""
        if isinstance(event, TradeEvent):
            self._has_single_trades = True
            if event.execution != "MARKET":
                return []
        elif self._has_single_trades:
            return []
        if event.quantity <= 0.0:
            return []
        aggressor = Side.SELL if event.buyer_is_maker else Side.BUY
        return self.engine.on_trade(Trade(exact(event.price), exact(event.quantity), aggressor, time), now_ns)


def warm(instrument: Instrument) -> None:
    """Compile the kernels that a market needs, so that the first order does not wait for it."""
    market = InstrumentMarket(instrument, FeeRates(ZERO, ZERO))
    tick = str(instrument.tick_size)
    market.on_frame(b'{"lastUpdateId":1,"bids":[["%b","1"]],"asks":[]}' % tick.encode(), 0)
    market.on_frame(_UPDATE % (instrument.symbol.encode(), tick.encode()), 0)
    list(market.book.levels(Side.BUY))
    market.book.quantity_at(Side.BUY, instrument.tick_size)


def exact(value: float) -> Decimal:
    """Return the decimal that the venue wrote: a number of up to 15 digits survives the way through a float."""
    return Decimal(repr(value))


def transaction_time(payload: bytes) -> int:
    """Return the venue's transaction time in milliseconds, 0 where the frame names none."""
    found = _TRANSACTION_TIME.search(payload)
    return int(found[1]) if found else 0


def is_unused(payload: bytes) -> bool:
    """Tell, without decoding, that a frame is of a kind that matching does not need."""
    start = payload.find(_EVENT)
    return start >= 0 and payload.startswith(_UNUSED, start + len(_EVENT))


def _named_in(event: DepthUpdate) -> Touched:
    levels: dict[Side, Levels] = {Side.BUY: event.bids, Side.SELL: event.asks}
    return lambda side, price: bool((levels[side][:, 0] == float(price)).any())
