"""The recorded market of a whole tape, played up to any time, frame by frame in the order in which it was received.

What happens depends on the tape and on when orders arrive, never on how far one call plays: playing to 10 and then to
20 gives the same events as playing to 20.
"""

import asyncio
from collections.abc import Iterator

from backtest.matching.engine import FeeRates
from backtest.venue.instrument_market import InstrumentMarket, is_unused
from dataflows.codecs import binance
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import Item
from execution.venues.interface import VenueEvent
from sluice.instruments import Instrument, InstrumentCatalog

#: Frames between two moments at which others may run, e.g. a health check.
_FRAMES_PER_TURN = 512
_NEVER = 2**63 - 1


class RecordedMarket:
    """Every instrument's recorded market. `items` is a tape from its beginning."""

    def __init__(self, items: Iterator[Item], catalog: InstrumentCatalog, fees: FeeRates) -> None:
        self._frames = (item for item in items if isinstance(item, Frame))
        self._catalog = catalog
        self._fees = fees
        self._markets: dict[str, InstrumentMarket] = {}
        self._next: Frame | None = None
        self._next_ns = 0
        self._earliest_date_ns = _NEVER
        self._read_next()

    async def play_until(self, time_ns: int) -> list[VenueEvent]:
        """Play every frame received up to and including a time; return what that did to orders, in order."""
        events: list[VenueEvent] = []
        turn = 0
        while self._next is not None and self._next_ns <= time_ns:
            events += self._expire_until(self._next_ns)
            events += self._on_frame(self._next)
            self._read_next()
            turn += 1
            if turn % _FRAMES_PER_TURN == 0:
                await asyncio.sleep(0)
        return events + self._expire_until(time_ns)

    def market_of(self, instrument: Instrument) -> InstrumentMarket | None:
        """Return an instrument's market, empty where no frame of it has come; None where it is not traded here."""
        if self._catalog.get(instrument.key) != instrument:
            return None
        return self._market(instrument)

    def expect_expiry(self, good_till_time_ns: int) -> None:
        """Take note that an order ends at a date."""
        self._earliest_date_ns = min(self._earliest_date_ns, good_till_time_ns)

    def close(self) -> None:
        """Let go of the tape's files."""
        self._frames.close()

    def _read_next(self) -> None:
        self._next = next(self._frames, None)
        if self._next is not None:
            # A frame whose time lies before its predecessor's is played right after it: time never goes back.
            self._next_ns = max(self._next_ns, self._next.receive_time_ns)

    def _on_frame(self, frame: Frame) -> list[VenueEvent]:
        if is_unused(frame.payload):
            return []
        symbol = binance.symbol_of(frame.payload, frame.symbol_hint)
        instrument = self._catalog.by_symbol(symbol) if symbol else None
        if instrument is None:
            return []
        return self._market(instrument).on_frame(frame.payload, self._next_ns)

    def _market(self, instrument: Instrument) -> InstrumentMarket:
        market = self._markets.get(instrument.key)
        if market is None:
            market = self._markets[instrument.key] = InstrumentMarket(instrument, self._fees)
        return market

    def _expire_until(self, time_ns: int) -> list[VenueEvent]:
        if time_ns < self._earliest_date_ns:
            return []
        engines = [market.engine for _, market in sorted(self._markets.items())]
        events = [event for engine in engines for event in engine.expire_until(time_ns)]
        dates = [engine.next_expiry_ns for engine in engines]
        self._earliest_date_ns = min((date for date in dates if date is not None), default=_NEVER)
        return sorted(events, key=lambda event: event.event_time_ns)
