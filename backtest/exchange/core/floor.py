"""All accounts and their desks, and how the market's changes reach them."""

from collections import defaultdict
from collections.abc import Iterator

from backtest.exchange.core.conditional import ConditionalDesk
from backtest.exchange.core.context import Context
from backtest.exchange.core.desk import Desk
from backtest.exchange.core.domain import Product
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.market import BookChange, Change, TradeChange
from backtest.exchange.core.trader import Trader, TraderSettings


class Floor:
    """Traders by name and desks by account and symbol, made when they are first needed."""

    def __init__(self, context: Context, settings: TraderSettings) -> None:
        self.context = context
        self.traders: dict[str, Trader] = {}
        self._settings = settings
        self._desks: dict[tuple[str, str], tuple[Desk, ConditionalDesk]] = {}
        self._by_symbol: dict[str, list[tuple[Desk, ConditionalDesk]]] = defaultdict(list)

    def open(self, account: str) -> Trader:
        """Open an account where there is none of that name, and return it."""
        if account not in self.traders:
            self.traders[account] = Trader(account, self.context, self._settings)
        return self.traders[account]

    def trader(self, account: str) -> Trader:
        """Return an account. Raises `ExchangeError` -2015 where there is none."""
        if (found := self.traders.get(account)) is None:
            raise refuse(-2015)
        return found

    def desk(self, account: str, symbol: str) -> Desk:
        """Return an account's desk of a symbol. Raises `ExchangeError` -1121 or -2015."""
        return self._both(account, symbol)[0]

    def conditional(self, account: str, symbol: str) -> ConditionalDesk:
        """Return an account's conditional orders of a symbol. Raises `ExchangeError` -1121 or -2015."""
        return self._both(account, symbol)[1]

    def desks(
        self, account: str, product: Product | None = None, symbol: str | None = None,
    ) -> Iterator[tuple[Desk, ConditionalDesk]]:
        """Yield the desks that an account has used, by symbol: of one product, of one symbol, or all."""
        for (name, at), pair in sorted(self._desks.items(), key=lambda item: item[0]):
            wanted = product in (None, pair[0].listing.product) and symbol in (None, at)
            if name == account and wanted:
                yield pair

    def on_change(self, symbol: str, change: Change) -> None:
        """Let every desk of a symbol see what the market did."""
        for desk, conditional in self._by_symbol.get(symbol, ()):
            self._tell(desk, change)
            if not isinstance(change, BookChange):
                conditional.look_again()

    def _tell(self, desk: Desk, change: Change) -> None:
        matching, now_ns = desk.active, self.context.now_ns
        if matching is None:
            return
        if isinstance(change, BookChange):
            matching.on_book(change, now_ns)
        elif isinstance(change, TradeChange):
            matching.on_trade(change, now_ns)
        else:
            matching.on_mark(change.price, now_ns)
        if matching.told:
            desk.drain()

    def _both(self, account: str, symbol: str) -> tuple[Desk, ConditionalDesk]:
        if (found := self._desks.get((account, symbol))) is not None:
            return found
        desk = Desk(self.trader(account), self.context.market(symbol).listing)
        made = self._desks[account, symbol] = (desk, ConditionalDesk(desk))
        self._by_symbol[symbol].append(made)
        return made
