"""What every room of Sluice shares, and nothing else.

Contracts (generated stubs), configuration, clocks, instruments, positions, the approval envelope, stores, telemetry and
the command line. It knows none of the rooms: they register their commands and venues as entry points.
"""

__version__ = "0.1.0"
