"""The seam between a request that has been judged and the exchange that carries it out.

Whoever serves the exchange gives a `Gateway`: it tells the time, brings the market forward before a request acts, and
may delay, drop or spoil requests and answers on purpose. Nothing here knows HTTP or WebSocket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from backtest.exchange.core.domain import Product
from backtest.exchange.core.exchange import Exchange


class Transport(Enum):
    """Which door a request came through."""

    REST = "rest"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """A request that passed keys, signature, limits and parameters, and has not acted yet.

    `operation` is its name in the route table, the same for both transports: method and path without prefix and
    version such as `POST order`, `GET depth`. `account` and `api_key` are empty for public requests. `timestamp_ms`
    is the client's `timestamp` where the request is signed, else None. `headers` are the HTTP request's, by lower-case
    name; empty on a WebSocket. `changes_state` tells whether it may place, change or cancel anything.
    """

    transport: Transport
    product: Product
    operation: str
    account: str
    api_key: str
    parameters: Mapping[str, str]
    timestamp_ms: int | None
    changes_state: bool
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExchangeAnswer:
    """What goes back: HTTP status, a body that JSON can hold, and headers beyond the usual ones."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class ConnectionDropped(Exception):  # noqa: N818  # it is no error: the gateway asks for the connection to be cut
    """Raised by a gateway that wants the connection cut without an answer."""


class Gateway(Protocol):
    """What a server of the exchange provides. All methods run in the server's one event loop."""

    @property
    def exchange(self) -> Exchange:
        """The exchange that requests act on."""
        ...

    def now_ms(self) -> int:
        """Return the exchange's time in milliseconds: signatures, limits and listen keys are judged by it."""
        ...

    async def before(self, request: ExchangeRequest) -> ExchangeAnswer | None:
        """Let time pass before a request acts; right after it returns the request acts without any await between.

        An answer that it returns is sent in place of carrying the request out. May raise `ExchangeError` (answered as
        such) and `ConnectionDropped`.
        """
        ...

    async def after(self, request: ExchangeRequest, answer: ExchangeAnswer) -> ExchangeAnswer:
        """Return the answer to send for a request that was carried out or refused, usually the one given.

        May wait, and may raise `ExchangeError` and `ConnectionDropped`: the request has acted all the same.
        """
        ...


class DirectGateway:
    """A gateway that adds nothing: requests act at once, at the exchange's own time."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def exchange(self) -> Exchange:
        """The exchange that requests act on."""
        return self._exchange

    def now_ms(self) -> int:
        """Return the exchange's time in milliseconds."""
        return self._exchange.now_ns // 1_000_000

    async def before(self, request: ExchangeRequest) -> ExchangeAnswer | None:  # noqa: ARG002  # the protocol's argument
        """Let the request act at once."""
        return None

    async def after(self, request: ExchangeRequest, answer: ExchangeAnswer) -> ExchangeAnswer:  # noqa: ARG002  # same
        """Return the answer as it is."""
        return answer
