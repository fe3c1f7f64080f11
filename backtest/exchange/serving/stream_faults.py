"""Faults of market messages: differences of a book that are lost, or whose `pu` names another message than the last."""

import re
from typing import Final

from backtest.exchange.serving.faults import FaultKind, FaultPlan
from backtest.exchange.streams.recorded import Recorded

_PREVIOUS: Final = re.compile(rb'"pu"\s*:\s*(\d+)')
_GAP: Final = frozenset({FaultKind.DEPTH_GAP})
_WRONG: Final = frozenset({FaultKind.DEPTH_WRONG_PU})
_OFF: Final = 7


class PlannedStreamFaults:
    """Lets the plan decide. A lost event is lost to every reader, and a wrong `pu` is one message's of one stream."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    def swallows(self, event: Recorded) -> bool:
        """Tell whether an event is lost."""
        return event.event == "depthUpdate" and self._plan.take(
            _GAP, symbol=event.symbol, event=event.event) is not None

    def spoiled(self, symbol: str, data: bytes) -> bytes:
        """Return a difference with a `pu` that is none of the stream's, or as it is."""
        if self._plan.take(_WRONG, symbol=symbol, event="depthUpdate") is None:
            return data
        return _PREVIOUS.sub(lambda found: b'"pu":%d' % (int(found[1]) + _OFF), data, count=1)
