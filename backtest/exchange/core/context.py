"""What all parts of one exchange share: its time, its markets, its counters, its timers and its listeners.

Nothing here reads a clock: `now_ns` is set by whoever plays the exchange.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from backtest.account.brackets import BracketTable
from backtest.account.contract import Contract
from backtest.exchange.core.domain import Listing, Product, UserEvent
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.market import SymbolMarket
from backtest.exchange.core.payloads import Payload
from sluice.clock import NS_PER_MS


class Marks(Mapping[str, Decimal]):
    """The mark price of every symbol that has one, as it is now."""

    def __init__(self, markets: Mapping[str, SymbolMarket]) -> None:
        self._markets = markets

    def __getitem__(self, symbol: str) -> Decimal:
        market = self._markets.get(symbol)
        if market is None or (mark := market.mark_price) is None:
            raise KeyError(symbol)
        return mark

    def __iter__(self) -> Iterator[str]:
        return (symbol for symbol, market in self._markets.items() if market.mark_price is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Timers:
    """What is to happen at a time, in the order of times and then of asking."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._asked = 0

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Ask for an action at a time. What is no longer wanted then must do nothing."""
        heapq.heappush(self._heap, (time_ns, self._asked, action))
        self._asked += 1

    def due(self, time_ns: int) -> bool:
        """Tell whether anything is to happen up to a time."""
        return bool(self._heap) and self._heap[0][0] <= time_ns

    def pop(self) -> tuple[int, Callable[[], None]]:
        """Take the next action out, with its time."""
        time_ns, _, action = heapq.heappop(self._heap)
        return time_ns, action


class Context:
    """One exchange's shared state."""

    def __init__(self, listings: Iterable[Listing]) -> None:
        self.listings = {listing.symbol: listing for listing in listings}
        self.markets = {symbol: SymbolMarket(listing) for symbol, listing in self.listings.items()}
        self.contracts = {symbol: contract_of(listing) for symbol, listing in self.listings.items()}
        self.marks = Marks(self.markets)
        self.timers = Timers()
        self.now_ns = 0
        self.listeners: list[Callable[[UserEvent], None]] = []
        self.public_listeners: list[Callable[[str, Payload], None]] = []
        self._order_ids: Counter[str] = Counter()
        self._trade_ids: Counter[str] = Counter()
        self._algo_ids = 0

    @property
    def now_ms(self) -> int:
        """Return the time as the wire has it."""
        return self.now_ns // NS_PER_MS

    def market(self, symbol: str) -> SymbolMarket:
        """Return a symbol's market. Raises `ExchangeError` -1121."""
        if (found := self.markets.get(symbol)) is None:
            raise refuse(-1121)
        return found

    def next_order_id(self, symbol: str) -> int:
        """Return the id that the next accepted order of a symbol gets."""
        return self._order_ids[symbol] + 1

    def take_order_id(self, symbol: str) -> int:
        """Use up and return the next order id of a symbol."""
        self._order_ids[symbol] += 1
        return self._order_ids[symbol]

    def take_trade_id(self, symbol: str) -> int:
        """Use up and return the next trade id of a symbol."""
        self._trade_ids[symbol] += 1
        return self._trade_ids[symbol]

    @property
    def next_algo_id(self) -> int:
        """Return the id that the next accepted conditional order gets."""
        return self._algo_ids + 1

    def take_algo_id(self) -> int:
        """Use up and return the next id of a conditional order."""
        self._algo_ids += 1
        return self._algo_ids

    def emit(self, account: str, product: Product, payload: Payload) -> None:
        """Tell every listener of something that happened to an account now."""
        event = UserEvent(account, product, self.now_ms, payload["e"], payload)
        for listener in self.listeners:
            listener(event)

    def publish(self, symbol: str, payload: Payload) -> None:
        """Tell every public listener of something that everybody sees."""
        for listener in self.public_listeners:
            listener(symbol, payload)


def contract_of(listing: Listing) -> Contract:
    """Return what money must know of a listing."""
    if not listing.brackets:
        return Contract.shipped(listing.instrument)
    return Contract(listing.instrument, BracketTable(listing.brackets), listing.liquidation_fee)
