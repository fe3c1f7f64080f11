"""The desk of a live flow: nobody plays the venue, so the reports up to now are those that have been delivered.

Each decision still says after which report it was made, and risk waits for that one, as everywhere.
"""

from dataflows.actors.strategy_domain import OrderReport
from dataflows.desk.desk import PATIENCE_S, Desk
from dataflows.desk.live_reports import LiveReports
from sluice.instruments import InstrumentCatalog


class LiveDesk(Desk):
    """Calls inference, risk and execution by the machine's clock. One thread uses it."""

    def __init__(self, addresses: tuple[str, str, str], catalog: InstrumentCatalog, strategy: str) -> None:
        super().__init__(addresses, catalog, strategy)
        self._delivered = LiveReports(self._channels[2], patience_s=PATIENCE_S)

    def close(self) -> None:
        """Close the channels."""
        self._delivered.close()
        super().close()

    def advance(self, event_time_ns: int) -> int:  # noqa: ARG002  # time goes by itself here
        """Return the sequence of the last report that execution has delivered."""
        return self._delivered.delivered()

    def reports(self, after: int, until: int) -> list[OrderReport]:
        """Return execution's reports after one sequence up to another that has been delivered."""
        return self._delivered.between(after, until)

    def _tell_time(self) -> None:
        """Tell nobody: execution reads the machine's clock."""
