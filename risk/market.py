"""What risk knows of the market: each instrument's latest top, told by the market actors and never by a strategy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from risk.domain import BookTop

_TWO = Decimal(2)


@dataclass(frozen=True, slots=True)
class Market:
    """The tops by instrument key as of a time. Immutable: an observation makes the next one."""

    event_time_ns: int = 0
    tops: Mapping[str, BookTop] = field(default_factory=dict)

    def observed(self, event_time_ns: int, tops: Iterable[BookTop]) -> "Market":
        """Return the market with these tops in place of the older ones."""
        return Market(event_time_ns, {**self.tops, **{top.instrument: top for top in tops}})

    def reference_price(self, instrument: str) -> Decimal | None:
        """Return the mark price where known, else the middle of the book, else None."""
        top = self.tops.get(instrument)
        return reference_price(top) if top is not None else None


def reference_price(top: BookTop) -> Decimal | None:
    """Return a top's mark price where known, else the middle of its book, else None."""
    if top.mark_price is not None:
        return top.mark_price
    if top.best_bid is None or top.best_ask is None:
        return None
    return (top.best_bid + top.best_ask) / _TWO
