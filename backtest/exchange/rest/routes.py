"""What a route is: one row of the table from which dispatch, limits, parameter checks and the reference page follow."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from backtest.exchange.core.domain import Listing, Product
from backtest.exchange.core.exchange import Exchange
from backtest.exchange.core.market_view import MarketView
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.keys import ApiKey
from backtest.exchange.rest.limits import RateLimiter
from backtest.exchange.rest.listen_keys import ListenKeys
from backtest.exchange.rest.parameters import Arguments, Parameter
from backtest.exchange.rest.refusals import refusal

#: The weight of a request, which may depend on the product and on what was asked.
Weight = int | Callable[[Product, Mapping[str, str]], int]
BOTH: Final = (Product.USDM, Product.COINM)


@dataclass(frozen=True, slots=True)
class Call:
    """A judged request as its handler sees it. Handlers are plain functions: they act without letting go."""

    exchange: Exchange
    listen_keys: ListenKeys
    limiter: RateLimiter
    product: Product
    key: ApiKey | None
    arguments: Arguments
    now_ms: int

    @property
    def account(self) -> str:
        """Return whose request it is; empty for a public one."""
        return self.key.account if self.key else ""

    @property
    def coin(self) -> bool:
        """Tell whether it came to the COIN-M side."""
        return self.product is Product.COINM

    def listing(self, symbol: str | None = None) -> Listing:
        """Return the listing of a symbol (of the parameter `symbol` where none is given) of this product.

        Raises `ExchangeError` -1102 where none was sent and -1121 where there is no such symbol on this side.
        """
        wanted = self.arguments.needed("symbol") if symbol is None else symbol
        found = self.exchange.listings.get(wanted)
        if found is None or found.product is not self.product:
            raise refusal(-1121)
        return found

    def market(self, symbol: str | None = None) -> MarketView:
        """Return the market of a symbol of this product; raises as `listing` does."""
        return self.exchange.market(self.listing(symbol).symbol)

    def listings(self) -> list[Listing]:
        """Return the listings that the request means: of `symbol` or `pair` where sent, else all of the product."""
        if self.arguments.text("symbol") is not None:
            return [self.listing()]
        pair = self.arguments.text("pair")
        found = [one for one in self.exchange.listings.values() if one.product is self.product]
        if pair is not None and not (found := [one for one in found if one.pair == pair]):
            raise refusal(-1121)
        return found


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint.

    `name` is the path behind the version. `versions` says which versions of it each product has. `orders` is what the
    request counts in (10 seconds, 1 minute) against the account's ORDERS limits. A route that `changes_state` acts on
    the exchange's state and may be written to a journal.
    """

    method: str
    name: str
    handler: Handler
    summary: str
    security: Security = Security.NONE
    parameters: tuple[Parameter, ...] = ()
    weight: Weight = 1
    orders: tuple[int, int] = (0, 0)
    versions: Mapping[Product, tuple[int, ...]] = field(default_factory=lambda: dict.fromkeys(BOTH, (1,)))
    changes_state: bool = False

    @property
    def operation(self) -> str:
        """Return the route's name for gateways and journals, such as `POST order`."""
        return f"{self.method} {self.name}"

    def paths(self) -> list[tuple[Product, str]]:
        """Return every path that leads here, with its product."""
        return [(product, f"/{product.value}/v{version}/{self.name}")
                for product, versions in self.versions.items() for version in versions]

    def weigh(self, product: Product, sent: Mapping[str, str]) -> int:
        """Return the request weight of what was asked."""
        return self.weight if isinstance(self.weight, int) else self.weight(product, sent)


class RouteTable:
    """All routes by method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._by_place = {(route.method, path): (route, product) for route in self.routes
                          for product, path in route.paths()}

    def find(self, method: str, path: str) -> tuple[Route, Product]:
        """Return the route of a request. Raises `ExchangeError` -5000 with 404, as the venue answers unknown paths."""
        if (found := self._by_place.get((method, path))) is None:
            raise refusal(-5000, 404, path=path[:200], method=method[:10])
        return found


def only(product: Product, *versions: int) -> dict[Product, tuple[int, ...]]:
    """Return the versions of a route that one product alone has."""
    return {product: versions or (1,)}
