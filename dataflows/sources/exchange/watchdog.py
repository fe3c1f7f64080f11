"""Noticing that a kind of stream has fallen silent while its socket still lives, as happens at a wrong route."""

from collections.abc import Mapping


class Watchdog:
    """Watches the kinds of one connection. Times are seconds of any steady clock, given by the caller."""

    def __init__(self, silence_s: Mapping[bytes, float], now_s: float) -> None:
        self._silence_s = silence_s
        self._heard_s = dict.fromkeys(silence_s, now_s)
        #: Kinds heard since the last look: whoever receives adds to it.
        self.heard: set[bytes] = set()

    def silent(self, now_s: float) -> str:
        """Return which kind has been silent for too long, in words; empty where none is."""
        for kind in self.heard & self._heard_s.keys():
            self._heard_s[kind] = now_s
        self.heard.clear()
        for kind, limit_s in self._silence_s.items():
            if now_s - self._heard_s[kind] > limit_s:
                return f"streams of kind {kind.decode()}... were silent for more than {limit_s:g} s"
        return ""
