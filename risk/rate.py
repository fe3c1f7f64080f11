"""How many orders were approved in a sliding window of event time."""

from bisect import bisect_right, insort


class OrderRateWindow:
    """Event times of approvals, in nanoseconds; those that have left the window are forgotten."""

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._times: list[int] = []

    def count(self, event_time_ns: int) -> int:
        """Return the number of approvals after `event_time_ns - window`, later ones included."""
        return len(self._times) - bisect_right(self._times, event_time_ns - self._window_ns)

    def add(self, event_time_ns: int) -> None:
        """Count an approval. Approvals two windows behind the newest are dropped."""
        insort(self._times, event_time_ns)
        del self._times[: bisect_right(self._times, self._times[-1] - 2 * self._window_ns)]
