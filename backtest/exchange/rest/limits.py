"""Rate limits as values: fixed windows of request weight by address and of orders by account, and bans.

Every question comes with its time; nothing here reads a clock. A window is a whole multiple of its length, as the venue
counts them, so all counts fall to zero together at its edge. Source: Binance, "LIMITS" of the futures APIs: one pool of
2400 a minute for both products; 300 orders in 10 s and 1200 in a minute; whoever goes on after 429 is banned (418) for
2 minutes, twice as long each time, up to 3 days.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

from backtest.exchange.core.errors import ExchangeError

Remembered = TypeVar("Remembered")

MINUTE_MS: Final = 60_000
TEN_SECONDS_MS: Final = 10_000
_FIRST_BAN_MS: Final = 2 * MINUTE_MS
_LONGEST_BAN_MS: Final = 3 * 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is allowed. `refusals_before_ban` counts the requests of one window that were answered 429."""

    request_weight_1m: int = 2400
    orders_10s: int = 300
    orders_1m: int = 1200
    refusals_before_ban: int = 10
    #: Addresses and accounts that are remembered; the one that was idle longest is forgotten beyond it.
    most_remembered: int = 10_000


class TooManyRequests(ExchangeError):  # noqa: N818  # it is an answer, as its parent is
    """A limit is reached. `retry_after_s` is what the header `Retry-After` says."""

    def __init__(self, code: int, message: str, status: int, retry_after_s: int) -> None:
        super().__init__(code, message, status)
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class Window:
    """What was used in the present window of a length."""

    length_ms: int
    started_ms: int = -1
    used: int = 0

    def used_at(self, now_ms: int) -> int:
        """Return what is used in the window of a time; a clock that goes back a little stays in its window."""
        start = now_ms - now_ms % self.length_ms
        if start > self.started_ms:
            self.started_ms, self.used = start, 0
        return self.used

    def seconds_left(self, now_ms: int) -> int:
        """Return in how many whole seconds, at least one, the next window begins."""
        return max(1, -(-(self.started_ms + self.length_ms - now_ms) // 1000))


class _Address:
    def __init__(self) -> None:
        self.weight = Window(MINUTE_MS)
        self.refusals = Window(MINUTE_MS)
        self.bans = 0
        self.banned_until_ms = 0


class _Account:
    def __init__(self) -> None:
        self.short = Window(TEN_SECONDS_MS)
        self.long = Window(MINUTE_MS)


class RateLimiter:
    """Counts and refuses. One for all transports and products of a server."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def weigh(self, address: str, weight: int, now_ms: int) -> None:
        """Count a request's weight. Raises `TooManyRequests` with 429 over the limit, or 418 while banned."""
        found = self._recall(self._addresses, address, _Address)
        if now_ms < found.banned_until_ms:
            raise _banned(address, found, now_ms)
        used = found.weight.used_at(now_ms) + weight
        found.weight.used = used
        if used > self.limits.request_weight_1m:
            self._refuse(address, found, now_ms)

    def _refuse(self, address: str, found: _Address, now_ms: int) -> None:
        found.refusals.used = found.refusals.used_at(now_ms) + 1
        if found.refusals.used > self.limits.refusals_before_ban:
            # A long series of bans must not grow a number without end.
            length = min(_FIRST_BAN_MS << min(found.bans, 12), _LONGEST_BAN_MS)
            found.bans, found.banned_until_ms = found.bans + 1, now_ms + length
            raise _banned(address, found, now_ms)
        text = f"Too many requests; current limit is {self.limits.request_weight_1m} requests per minute."
        raise TooManyRequests(-1003, text, 429, found.weight.seconds_left(now_ms))

    def count_orders(self, account: str, short: int, long: int, now_ms: int) -> None:
        """Count new orders: `short` in 10 s and `long` in the minute. Raises `TooManyRequests`, counting none."""
        found = self._recall(self._accounts, account, _Account)
        wanted = ((found.short, short, self.limits.orders_10s, "10 seconds"),
                  (found.long, long, self.limits.orders_1m, "1 minute"))
        for window, count, limit, interval in wanted:
            if window.used_at(now_ms) + count > limit:
                text = f"Too many new orders; current limit is {limit} orders per {interval}."
                raise TooManyRequests(-1015, text, 429, window.seconds_left(now_ms))
        for window, count, _, _ in wanted:
            window.used += count

    def used_weight(self, address: str, now_ms: int) -> int:
        """Return the weight that an address has used in this minute."""
        found = self._addresses.get(address)
        return found.weight.used_at(now_ms) if found else 0

    def order_counts(self, account: str, now_ms: int) -> tuple[int, int]:
        """Return the orders of an account in these 10 seconds and in this minute."""
        found = self._accounts.get(account)
        return (found.short.used_at(now_ms), found.long.used_at(now_ms)) if found else (0, 0)

    def _recall(self, remembered: OrderedDict[str, Remembered], name: str, make: type[Remembered]) -> Remembered:
        found = remembered.get(name)
        if found is None:
            found = remembered[name] = make()
            if len(remembered) > self.limits.most_remembered:
                remembered.popitem(last=False)
        remembered.move_to_end(name)
        return found


def _banned(address: str, found: _Address, now_ms: int) -> TooManyRequests:
    text = (f"Way too many requests; IP({address}) banned until {found.banned_until_ms}. "
            "Please use the websocket for live updates to avoid bans.")
    return TooManyRequests(-1003, text, 418, max(1, -(-(found.banned_until_ms - now_ms) // 1000)))
