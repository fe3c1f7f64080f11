"""The simulated venue: takes orders like an exchange and fills them against a recorded market.

`recorded` plays a tape into the matching engines, `simulated` is the venue that execution talks to. Nothing here
reads a clock or leaves the process.
"""

from backtest.venue.simulated import SimulatedVenue

__all__ = ["SimulatedVenue"]
