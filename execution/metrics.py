"""What the execution service counts.

`sluice_execution_reports_total{kind}`, `sluice_execution_refusals_total{refusal}`, `sluice_execution_open_orders`,
`sluice_execution_unknown_orders` (an order whose fate is unknown for long needs a person), and
`sluice_execution_events_left_out_total` (events of a venue that cannot be, which must stay at zero).
"""

from prometheus_client import Counter, Gauge

REPORTS = Counter("sluice_execution_reports", "Reports that were journalled, by kind.", ("kind",))
REFUSALS = Counter("sluice_execution_refusals", "Approvals that were refused, by the refusal's name.", ("refusal",))
OPEN_ORDERS = Gauge("sluice_execution_open_orders", "Orders that are not final.")
UNKNOWN_ORDERS = Gauge("sluice_execution_unknown_orders", "Orders whose fate the venue has not told.")
EVENTS_LEFT_OUT = Counter("sluice_execution_events_left_out", "Events of the venue that cannot be.")
