"""The exchange's core as a venue of execution, in this process: no socket, no clock, a pure function of a tape.

`simulated` is the venue; `translation` says what its words are in the exchange's.
"""

from backtest.venue.simulated import SimulatedVenue

__all__ = ["SimulatedVenue"]
