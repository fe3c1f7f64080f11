"""A backtest of the whole system in one process: the live actors, models, risk and execution on a tape.

Nothing here decides anything. It puts the classes that the services run together without their gRPC, databases and
sockets, so that a run gives the same decisions, orders and fills, to the last digit, in a fraction of the time. Even
here nothing reaches the venue but through an approval that risk has signed and execution has checked.

`run_system` is the whole of it: settings in, a `Summary` out.
"""

from backtest.system.run import run_system

__all__ = ["run_system"]
