"""The request weight that an address may use in a minute, counted here and corrected by what the exchange says.

Binance counts in fixed minutes of its clock and answers each request with the weight used so far
(`X-MBX-USED-WEIGHT-1M`); other processes at the same address use it too, so the greater number is believed. After a 429
or 418 nothing is sent until `Retry-After` has passed. Times are seconds of any steady clock, given by the caller.
"""

WINDOW_S = 60.0


class WeightBudget:
    """Counts request weight. `limit` is the most that we use in a window of a minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._window = -1
        self._used = 0
        self._blocked_until_s = 0.0

    @property
    def used(self) -> int:
        """Return the weight used in the newest window."""
        return self._used

    def wait_s(self, weight: int, now_s: float, *, share: float = 1.0) -> float:
        """Return how long to wait before a request of this weight; 0 takes the weight.

        `share` is the part of the limit that may be in use after it, so that requests of another kind find the rest.
        """
        if now_s < self._blocked_until_s:
            return self._blocked_until_s - now_s
        self._enter(now_s)
        if self._used and self._used + weight > self._limit * share:
            return (self._window + 1) * WINDOW_S - now_s
        self._used += weight
        return 0.0

    def correct(self, used: int, now_s: float) -> None:
        """Believe the exchange's count for this window where it is greater than ours."""
        self._enter(now_s)
        self._used = max(self._used, used)

    def block(self, seconds: float, now_s: float) -> None:
        """Send nothing for so long: the exchange has said so."""
        self._blocked_until_s = max(self._blocked_until_s, now_s + seconds)

    def _enter(self, now_s: float) -> None:
        window = int(now_s // WINDOW_S)
        if window != self._window:
            self._window, self._used = window, 0
