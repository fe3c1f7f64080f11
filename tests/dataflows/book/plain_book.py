"""A book as plainly as it can be said: two dicts and the venue's rules. It judges the kernels in property tests."""

from dataclasses import dataclass, field

from dataflows.book import BookResult

Level = tuple[int, float]


@dataclass
class Update:
    """A difference with prices in ticks."""

    first: int
    last: int
    previous: int
    bids: list[Level] = field(default_factory=list)
    asks: list[Level] = field(default_factory=list)


class PlainBook:
    """Levels by price in ticks, with unlimited room."""

    def __init__(self) -> None:
        self.bids: dict[int, float] = {}
        self.asks: dict[int, float] = {}
        self.status = "buffering"
        self.last = 0
        self.waiting: list[Update] = []
        self.reserve: Update | None = None

    @property
    def synced(self) -> bool:
        return self.status == "synced"

    def update(self, update: Update) -> BookResult:
        if self.status == "buffering":
            return self._wait(update)
        if update.last < self.last or (update.last == self.last and self.synced):
            return BookResult.IGNORED
        rejoined = self.reserve is not None and self._settle(update, self.reserve)
        if update.last < self.last:
            return BookResult.LOADED
        joins = update.first <= self.last <= update.last and not self.synced
        if not joins and update.previous != self.last:
            self.status = "buffering"
            self._wait(update)
            return BookResult.GAP
        self._apply(update)
        verdict = self._verdict()
        return BookResult.REJOINED if rejoined and verdict is BookResult.APPLIED else verdict

    def snapshot(self, last: int, bids: list[Level], asks: list[Level]) -> BookResult:
        if self.status != "buffering" and last <= self.last:
            return BookResult.IGNORED
        if self.synced:
            return self._keep(Update(last, last, last, bids, asks))
        chain = [update for update in self.waiting if update.last >= last]
        if chain and not (chain[0].first <= last or chain[0].previous == last):
            return BookResult.SNAPSHOT_TOO_OLD
        self._load(Update(last, last, last, bids, asks))
        for update in chain:
            self._apply(update)
        self.waiting = []
        return self._verdict()

    def _load(self, snapshot: Update) -> None:
        self.bids, self.asks, self.reserve = {}, {}, None
        self._apply(snapshot)
        self.status = "loaded"

    def _keep(self, snapshot: Update) -> BookResult:
        if self.reserve is not None and snapshot.last <= self.reserve.last:
            return BookResult.IGNORED
        self.reserve = snapshot
        return BookResult.BUFFERED

    def _settle(self, update: Update, snapshot: Update) -> bool:
        if update.previous != self.last:
            self._load(snapshot)
            return True
        if update.last < snapshot.last:
            return False
        self.reserve = None
        if update.first > snapshot.last:
            return False
        known = self.last
        furthest_bid = min((price for price, _ in snapshot.bids), default=10**9)
        furthest_ask = max((price for price, _ in snapshot.asks), default=0)
        self.bids = {price: quantity for price, quantity in self.bids.items() if price < furthest_bid}
        self.asks = {price: quantity for price, quantity in self.asks.items() if price > furthest_ask}
        self._apply(snapshot)
        self.last = known
        return True

    def _wait(self, update: Update) -> BookResult:
        if self.waiting and update.last <= self.waiting[-1].last:
            return BookResult.IGNORED
        broken = bool(self.waiting) and update.previous != self.waiting[-1].last
        self.waiting = [update] if broken else [*self.waiting, update]
        return BookResult.GAP if broken else BookResult.BUFFERED

    def _apply(self, update: Update) -> None:
        for side, levels in ((self.bids, update.bids), (self.asks, update.asks)):
            for price, quantity in levels:
                side[price] = quantity
                if quantity == 0:
                    del side[price]
        self.last, self.status = update.last, "synced"

    def _verdict(self) -> BookResult:
        if self.bids and self.asks and max(self.bids) >= min(self.asks):
            self.status = "buffering"
            if self.reserve is not None:
                self._load(self.reserve)
            return BookResult.CROSSED
        return BookResult.APPLIED if self.synced else BookResult.LOADED
