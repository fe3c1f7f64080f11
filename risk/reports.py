"""Execution's reports as they come in, held until the decision that needs them.

In a replay risk applies a report only when a request's event time has come to it: a report that races ahead of the next
intent must not change the decision on it. Live, reports are taken as they come.
"""

import asyncio

from risk.domain import ExecutionReport
from sluice.errors import InvariantError, NotRunningError


class ReportBuffer:
    """Reports in sequence, received but not yet applied, and who waits for them."""

    def __init__(self) -> None:
        self._pending: dict[int, ExecutionReport] = {}
        self._changed = asyncio.Condition()
        self.received = 0

    async def add(self, report: ExecutionReport) -> None:
        """Hold the next report; one seen before is dropped. Raises `InvariantError` where one is missing between."""
        if report.sequence <= self.received:
            return
        if report.sequence != self.received + 1:
            raise InvariantError(f"the next report must be {self.received + 1}, was {report.sequence}")
        async with self._changed:
            self._pending[report.sequence] = report
            self.received = report.sequence
            self._changed.notify_all()

    async def wait_for(self, sequence: int, timeout_s: float) -> None:
        """Return once a report has come in. Raises `NotRunningError` where it does not in time: fail closed."""
        if self.received >= sequence:
            return
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self.received >= sequence)
        except TimeoutError:
            raise NotRunningError(
                f"risk must have seen execution's report {sequence}, was at {self.received}",
                fix="check that execution runs; ask again") from None

    def take(self, sequence: int, event_time_ns: int) -> list[ExecutionReport]:
        """Remove and return the reports up to a sequence, or where it is 0 those up to an event time."""
        taken = []
        for number in sorted(self._pending):
            report = self._pending[number]
            if not (number <= sequence if sequence else report.event_time_ns <= event_time_ns):
                break
            taken.append(self._pending.pop(number))
        return taken

    def mentions(self, decision_id: str) -> bool:
        """Tell whether a report that is not applied yet is about a decision."""
        return any(report.decision_id == decision_id for report in self._pending.values())
