"""How much a run may make, and how often it records. Memory that is not needed costs nothing."""

from dataclasses import dataclass

from sluice.errors import InputError


@dataclass(frozen=True, slots=True)
class Limits:
    """Most orders and fills of a run, most messages on their way (a power of two), and ns between points of the curve.

    A run that needs more ends with an error that says which. With an interval of 0 only the end is recorded.
    """

    orders: int = 4_000_000
    fills: int = 4_000_000
    messages: int = 1 << 16
    record_interval_ns: int = 60_000_000_000

    def __post_init__(self) -> None:
        if min(self.orders, self.fills, self.messages) < 1 or self.record_interval_ns < 0:
            raise InputError(f"limits of a run must be positive, were {self}")
        if self.messages & (self.messages - 1):
            raise InputError(f"messages on their way must be a power of two, was {self.messages}")
