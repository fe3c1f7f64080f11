"""What the trading step asks of a desk, whether inference, risk and execution are services or in this process."""

from collections.abc import Sequence
from typing import Protocol

from dataflows.actors.market import FeatureRow
from dataflows.actors.strategy_domain import CancelOrder, OrderReport, PlaceOrder, Prediction
from dataflows.desk.desk import Approved, Sent, Vetoed


class TradingDesk(Protocol):
    """The one way from decisions to orders. Calls come from one thread, in the order of event time."""

    def advance(self, event_time_ns: int) -> int:
        """Play the simulated venue up to a time; return the sequence of the last report until then."""
        ...

    def reports(self, after: int, until: int) -> list[OrderReport]:
        """Return execution's reports after one sequence up to another."""
        ...

    def observe(self, event_time_ns: int, rows: Sequence[FeatureRow], after_report: int) -> None:
        """Tell risk what the market is."""
        ...

    def predict(self, rows: Sequence[FeatureRow], fractions: Sequence[float]) -> list[Prediction]:
        """Return a prediction for each row; `fractions` are the positions as parts of the largest (-1 to 1)."""
        ...

    def evaluate(self, place: PlaceOrder, model_version: str, after_report: int) -> Approved | Vetoed:
        """Ask risk about an intent."""
        ...

    def submit(self, approved: Approved) -> Sent:
        """Send an approved order and return what became of it."""
        ...

    def cancel(self, cancel: CancelOrder) -> None:
        """Ask execution to take an order back."""
        ...

    def cancel_all(self, reason: str) -> None:
        """Ask execution to take every open order back."""
        ...
