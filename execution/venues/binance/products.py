"""The two products of Binance futures, and the requests that the venue makes of them.

Weights and order counts are Binance's of August 2026; the answer's headers correct what differs.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from sluice.instruments import Instrument, Venue


class Product(Enum):
    """USD-M (linear) or COIN-M (inverse) futures; the value is the prefix of its paths."""

    USDM = "fapi"
    COINM = "dapi"

    @property
    def settings_name(self) -> Literal["usdm", "coinm"]:
        """Return its section's name in the configuration."""
        return "usdm" if self is Product.USDM else "coinm"

    @property
    def venue(self) -> Venue:
        """Return the venue that its instruments name."""
        return Venue.BINANCE_USDM if self is Product.USDM else Venue.BINANCE_COINM

    def user_stream(self, base_url: str, listen_key: str) -> str:
        """Return the address of the user stream of a key."""
        if self is Product.USDM:
            return f"{base_url}/private/ws?listenKey={listen_key}"
        return f"{base_url}/ws/{listen_key}"


def product_of(instrument: Instrument) -> Product:
    """Return the product that an instrument belongs to. Raises `ValueError` for another venue's."""
    for product in Product:
        if product.venue is instrument.venue:
            return product
    raise ValueError(f"instrument must be one of Binance futures, was {instrument.key}")


class Security(Enum):
    """What a request must carry."""

    PUBLIC = 1
    KEY = 2
    SIGNED = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A request: method, path after the prefix, weight per address, and orders that it counts as.

    `urgent` requests (cancels, questions about orders) may use the reserve of the limits. `order_api` is the method of
    the WebSocket order API that does the same, empty where there is none.
    """

    method: str
    path: str
    weight: int = 1
    orders: int = 0
    security: Security = Security.SIGNED
    urgent: bool = False
    order_api: str = ""

    def url(self, base_url: str, product: Product) -> str:
        """Return the whole address."""
        return f"{base_url}/{product.value}{self.path}"


SERVER_TIME: Final = Endpoint("GET", "/v1/time", security=Security.PUBLIC, urgent=True)
EXCHANGE_INFORMATION: Final = Endpoint("GET", "/v1/exchangeInfo", security=Security.PUBLIC)
PLACE_ORDER: Final = Endpoint("POST", "/v1/order", weight=0, orders=1, order_api="order.place")
CANCEL_ORDER: Final = Endpoint("DELETE", "/v1/order", urgent=True, order_api="order.cancel")
QUERY_ORDER: Final = Endpoint("GET", "/v1/order", urgent=True)
OPEN_ORDERS: Final = Endpoint("GET", "/v1/openOrders")
OPEN_CONDITIONAL: Final = Endpoint("GET", "/v1/openAlgoOrders")
ACCOUNT_TRADES: Final = Endpoint("GET", "/v1/userTrades", weight=5, urgent=True)
PLACE_CONDITIONAL: Final = Endpoint("POST", "/v1/algoOrder", weight=0, orders=1, order_api="algoOrder.place")
COUNTDOWN: Final = Endpoint("POST", "/v1/countdownCancelAll", weight=10, urgent=True)
POSITION_MODE: Final = Endpoint("GET", "/v1/positionSide/dual", weight=30)
USDM_POSITIONS: Final = Endpoint("GET", "/v2/positionRisk", weight=5)
COINM_POSITIONS: Final = Endpoint("GET", "/v1/positionRisk")
START_USER_STREAM: Final = Endpoint("POST", "/v1/listenKey", security=Security.KEY, urgent=True)
KEEP_USER_STREAM: Final = Endpoint("PUT", "/v1/listenKey", security=Security.KEY, urgent=True)
