"""What the execution service counts.

An order whose fate is unknown for long needs a person; events of a venue that cannot be must stay at zero.
"""

from prometheus_client import Counter, Gauge

REPORTS = Counter("sluice_execution_reports", "Reports that were journalled, by kind.", ("kind",))
REFUSALS = Counter("sluice_execution_refusals", "Approvals that were refused, by the refusal's name.", ("refusal",))
FINAL_ORDERS = Counter(
    "sluice_execution_final_orders", "Orders that reached a final status, by status; once more where a fill came late.",
    ("status",))
OPEN_ORDERS = Gauge("sluice_execution_open_orders", "Orders that are not final.")
UNKNOWN_ORDERS = Gauge("sluice_execution_unknown_orders", "Orders whose fate the venue has not told.")
EVENTS_LEFT_OUT = Counter("sluice_execution_events_left_out", "Events of the venue that cannot be.")
