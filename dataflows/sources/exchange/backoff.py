"""Pauses between tries: each twice as long as the one before, up to a bound, and never the same for two clients.

The jitter is "equal jitter": half of the pause is certain, the other half is drawn (M. Brooker, "Exponential backoff
and jitter", AWS Architecture Blog, 2015).
"""

from collections.abc import Callable

#: Gives a number in [0, 1).
Draw = Callable[[], float]


class Backoff:
    """Says how long to wait before the next try. `draw` is the only source of chance."""

    def __init__(self, first_s: float, most_s: float, draw: Draw) -> None:
        self._first_s, self._most_s, self._draw = first_s, most_s, draw
        self._pause_s = first_s

    def next_s(self) -> float:
        """Return the next pause in seconds, from half of it to all of it, and lengthen the one after."""
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, self._most_s)
        return pause_s * (1 + self._draw()) / 2

    def reset(self) -> None:
        """Begin with the first pause again: a try has succeeded."""
        self._pause_s = self._first_s
