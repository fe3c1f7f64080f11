"""How many requests may be made: fixed windows as the exchange counts them, shared by every client of an address.

A request is paid for before it is sent, and refused here where a window is full: a request that is not sent is better
than an address that is banned. The exchange's own counts (answer headers) raise ours, never lower them. A part of every
window is kept for cancels and questions. Pure: time is an argument. `Budget` is what clients need of it, so that one in
Redis can take the place of this one where several processes share an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from execution.venues.binance.products import Endpoint

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """A limit: so many units in each window of a length. `header` is the answer header that counts it."""

    header: str
    length_ns: int
    limit: int
    counts_orders: bool


#: Binance's limits of futures: an address's weight (USD-M and COIN-M together), an account's orders.
BINANCE_WINDOWS: Final = (
    Window("X-MBX-USED-WEIGHT-1M", 60 * _SECOND_NS, 2_400, counts_orders=False),
    Window("X-MBX-ORDER-COUNT-10S", 10 * _SECOND_NS, 300, counts_orders=True),
    Window("X-MBX-ORDER-COUNT-1M", 60 * _SECOND_NS, 1_200, counts_orders=True),
)


class BudgetExhausted(Exception):  # noqa: N818  # a state of the limits, not a failure
    """Nothing may be sent before `until_ns`; nothing was."""

    def __init__(self, reason: str, until_ns: int) -> None:
        super().__init__(f"not sent: {reason}")
        self.until_ns = until_ns


class Budget(Protocol):
    """What a client asks before a request and tells after it."""

    def pay(self, endpoint: Endpoint, now_ns: int) -> None:
        """Count a request. Raises `BudgetExhausted` where it must not be sent."""
        ...

    def observe(self, headers: Mapping[str, str], now_ns: int) -> None:
        """Take over the exchange's counts where they are higher."""
        ...

    def block(self, until_ns: int, *, orders_only: bool = False) -> None:
        """Send nothing, or no new orders, until a time, because the exchange said so."""
        ...


class WindowBudget:
    """The budget of one process."""

    def __init__(self, windows: tuple[Window, ...] = BINANCE_WINDOWS, reserve_percent: int = 20) -> None:
        self._windows = windows
        self._reserve_percent = reserve_percent
        self._used: dict[Window, tuple[int, int]] = {}
        self._blocked_until_ns = 0
        self._no_orders_until_ns = 0

    def pay(self, endpoint: Endpoint, now_ns: int) -> None:
        """Count a request. Raises `BudgetExhausted` where a window is full or the exchange has shut the door."""
        if now_ns < self._blocked_until_ns:
            raise BudgetExhausted("the exchange has asked for a pause", self._blocked_until_ns)
        if endpoint.orders and now_ns < self._no_orders_until_ns:
            raise BudgetExhausted("the exchange takes no new orders for a while", self._no_orders_until_ns)
        costs = [(window, _cost(window, endpoint)) for window in self._windows]
        for window, cost in costs:
            if cost and self.used(window, now_ns) + cost > self._allowed(window, endpoint):
                raise BudgetExhausted(f"{window.header} is used up", _end(window, now_ns))
        for window, cost in costs:
            self._used[window] = (now_ns // window.length_ns, self.used(window, now_ns) + cost)

    def observe(self, headers: Mapping[str, str], now_ns: int) -> None:
        """Take over the exchange's counts where they are higher."""
        for window in self._windows:
            told = headers.get(window.header, "")
            if told.isascii() and told.isdigit() and len(told) < 10 and int(told) > self.used(window, now_ns):
                self._used[window] = (now_ns // window.length_ns, int(told))

    def block(self, until_ns: int, *, orders_only: bool = False) -> None:
        """Send nothing, or no new orders, until a time; a later time that was asked for before stays."""
        if orders_only:
            self._no_orders_until_ns = max(self._no_orders_until_ns, until_ns)
        else:
            self._blocked_until_ns = max(self._blocked_until_ns, until_ns)

    def used(self, window: Window, now_ns: int) -> int:
        """Return what is used of the window that a time lies in."""
        number, used = self._used.get(window, (0, 0))
        return used if number == now_ns // window.length_ns else 0

    def _allowed(self, window: Window, endpoint: Endpoint) -> int:
        return window.limit if endpoint.urgent else window.limit * (100 - self._reserve_percent) // 100


def _cost(window: Window, endpoint: Endpoint) -> int:
    return endpoint.orders if window.counts_orders else endpoint.weight


def _end(window: Window, now_ns: int) -> int:
    return (now_ns // window.length_ns + 1) * window.length_ns
