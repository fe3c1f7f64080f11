"""What market streams carry: recorded events as they are, and the rest made out of the exchange's market in time.

An event that the tape has is never made up as well: what a symbol's tape holds is told at the start or seen on the way.
Where time is the clients' own (lockstep) this is not used: see `cursor`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from backtest.exchange.core.domain import Listing
from backtest.exchange.core.market_view import MarketView
from backtest.exchange.streams.faults import NoStreamFaults, StreamFaults
from backtest.exchange.streams.hub import Hub
from backtest.exchange.streams.making import Maker, maker_of
from backtest.exchange.streams.merging import DepthMerger
from backtest.exchange.streams.names import Stream, StreamKind
from backtest.exchange.streams.recorded import DEPTH_SPEEDS, Recorded, recorded
from dataflows.tapes.frames import Frame

#: Returns the market of a symbol.
Markets = Callable[[str], MarketView]


class MarketFeed:
    """Publishes the market to the hub. `on_frame` comes after the exchange has taken the frame, `on_time` now and then.

    `native` names the (event, symbol) pairs of the tape, as far as they are known. `listings` are the symbols that the
    exchange knows; others are published too where the tape names them.
    """

    def __init__(
        self, hub: Hub, markets: Markets, listings: Mapping[str, Listing], native: Iterable[tuple[str, str]] = (),
        faults: StreamFaults | None = None,
    ) -> None:
        self._hub = hub
        self._markets = markets
        self._listings = listings
        self._native = set(native)
        self._faults = faults or NoStreamFaults()
        self._mergers: dict[str, DepthMerger] = {}
        self._makers: dict[str, Maker] = {}
        self._seconds: dict[str, int] = {}
        self._version = -1

    def on_frame(self, frame: Frame, time_ms: int) -> None:
        """Publish a recorded frame at a time of the exchange."""
        event = recorded(frame)
        if event is None:
            return
        self._native.add((event.event, event.symbol))
        if self._faults.swallows(event):
            return
        if event.event == "depthUpdate":
            self._publish_depth(event, time_ms)
        elif event.event == "markPriceUpdate":
            self._publish_mark(event, time_ms)
        else:
            for name in event.names:
                self._hub.publish(name, event.data)

    def on_public(self, symbol: str, payload: dict[str, Any]) -> None:
        """Publish a liquidation of the exchange's own: every one, where the venue sends the largest of each second."""
        data = msgspec.json.encode(payload)
        for name in (f"{symbol.lower()}@forceOrder", "!forceOrder@arr"):
            self._hub.publish(name, data)

    def on_time(self, time_ms: int) -> None:
        """Publish what is due by a time: merged differences of books, and events that the tape lacks."""
        if self._version != self._hub.version:
            self._renew()
        for name, merger in self._mergers.items():
            if due := merger.due(time_ms):
                self._hub.publish(name, self._faults.spoiled(name.partition("@")[0].upper(), due))
        for name, maker in self._makers.items():
            for data in maker.due(time_ms):
                self._hub.publish(name, data)

    def _publish_depth(self, event: Recorded, time_ms: int) -> None:
        for name in event.names:
            if not self._hub.wanted(name):
                continue
            interval = DEPTH_SPEEDS[name[name.index("@") :]]
            data: bytes | None = event.data
            if interval:
                merger = self._mergers.get(name) or self._mergers.setdefault(name, DepthMerger(interval))
                data = merger.add(time_ms, event.data)
            if data:
                self._hub.publish(name, self._faults.spoiled(event.symbol, data))

    def _publish_mark(self, event: Recorded, time_ms: int) -> None:
        for name in event.names:
            if not name.endswith("@1s"):
                if self._seconds.get(name) == time_ms // 3000:
                    continue
                self._seconds[name] = time_ms // 3000
            self._hub.publish(name, event.data)

    def _renew(self) -> None:
        """Forget what nobody listens to any more, and begin to make what somebody now does."""
        self._version = self._hub.version
        self._mergers = {name: merger for name, merger in self._mergers.items() if self._hub.wanted(name)}
        makers = {}
        for stream in self._hub.streams():
            if made := self._makers.get(stream.name) or self._maker(stream):
                makers[stream.name] = made
        self._makers = makers

    def _maker(self, stream: Stream) -> Maker | None:
        views = {symbol: self._markets(symbol) for symbol in self._symbols(stream)}
        return maker_of(stream, views, self._native) if views else None

    def _symbols(self, stream: Stream) -> list[str]:
        if not stream.symbol:
            return list(self._listings)
        if stream.symbol in self._listings:
            return [stream.symbol]
        if stream.kind is StreamKind.MARK_PRICE:
            return [symbol for symbol, listing in self._listings.items() if listing.pair == stream.symbol]
        contract = stream.contract or "PERPETUAL"
        return [symbol for symbol, listing in self._listings.items()
                if listing.pair == stream.symbol and listing.contract_type == contract][:1]
