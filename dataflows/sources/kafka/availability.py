"""Whether a consumer's brokers can be reached, out of librdkafka's statistics. Reads no clock.

A consumer hears nothing of a broker that is away: no message, no error, only silence, as of a market that sleeps.
"""

import json
from typing import Any


class Availability:
    """Knows since when a partition's leader has been away."""

    def __init__(self) -> None:
        self._away_since_s: float | None = None

    @property
    def is_away(self) -> bool:
        """Tell whether a leader is away."""
        return self._away_since_s is not None

    def on_away(self, now_s: float) -> None:
        """Hear that no broker answers."""
        if self._away_since_s is None:
            self._away_since_s = now_s

    def on_statistics(self, text: str, now_s: float) -> None:
        """Take the statistics that librdkafka tells from time to time."""
        if leaders_are_up(json.loads(text)):
            self._away_since_s = None
        else:
            self.on_away(now_s)

    def stalled_s(self, now_s: float) -> float:
        """Return for how long a leader has been away; 0 while all are there."""
        return now_s - self._away_since_s if self._away_since_s is not None else 0.0


def leaders_are_up(statistics: dict[str, Any]) -> bool:
    """Tell whether every partition that is read has a leader that is connected."""
    up = {broker["nodeid"] for broker in statistics.get("brokers", {}).values() if broker["state"] == "UP"}
    leaders = {part["leader"] for topic in statistics.get("topics", {}).values()
               for part in topic["partitions"].values() if part["fetch_state"] not in ("none", "stopped")}
    return leaders <= up
