"""Faults of user events: lost, doubled, held back, or swapped with the one that follows."""

from collections.abc import Callable
from typing import Final

from backtest.exchange.core.domain import UserEvent
from backtest.exchange.serving.faults import USER_EVENTS, FaultKind, FaultPlan

#: Asks after some milliseconds what is to be sent then; None: nothing any more.
Later = Callable[[int, Callable[[], UserEvent | None]], None]
#: How long an event waits for the one that is to come before it, where the fault names no time.
_MOST_HELD_MS: Final = 1_000


class PlannedEventFaults:
    """Lets the plan decide what becomes of each event. `later` sends one after so many milliseconds."""

    def __init__(self, plan: FaultPlan, later: Later) -> None:
        self._plan = plan
        self._later = later
        self._held: dict[str, UserEvent] = {}

    def deliveries(self, event: UserEvent) -> list[UserEvent]:
        """Return what is sent now in place of an event."""
        held = self._held.pop(event.account, None)
        now = self._judged(event)
        return [*now, held] if held is not None else now

    def _judged(self, event: UserEvent) -> list[UserEvent]:
        symbol = _symbol_of(event)
        fault = self._plan.take(USER_EVENTS, symbol=symbol, account=event.account, event=event.kind)
        if fault is None:
            return [event]
        match fault.kind:
            case FaultKind.DUPLICATE_USER_EVENTS:
                return [event, event]
            case FaultKind.DELAY_USER_EVENTS:
                self._later(fault.milliseconds, lambda: event)
            case FaultKind.REORDER_USER_EVENTS:
                self._held[event.account] = event
                self._later(fault.milliseconds or _MOST_HELD_MS, lambda: self._still_held(event))
            case _:
                pass
        return []

    def _still_held(self, event: UserEvent) -> UserEvent | None:
        """Let go of an event that none has followed."""
        return self._held.pop(event.account) if self._held.get(event.account) is event else None


def _symbol_of(event: UserEvent) -> str:
    order = event.payload.get("o")
    found = order.get("s", "") if isinstance(order, dict) else event.payload.get("s", "")
    return str(found)
