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
USER_EVENTS = Counter("sluice_execution_user_events", "Messages of the user stream, by kind.", ("kind",))
UNREADABLE = Counter("sluice_execution_unreadable_user_events", "Messages of the user stream that could not be read.")
GAPS = Counter("sluice_execution_user_stream_gaps", "Times at which words about orders may have been missed.")
QUESTIONS = Counter("sluice_execution_order_questions", "Orders whose fate was asked for because a word was missed.")
EXCHANGE_MADE = Counter(
    "sluice_execution_exchange_made_orders", "Words about orders that the exchange makes itself, such as liquidations.")
ACCOUNT_DIFFERS = Gauge(
    "sluice_execution_account_differs", "1 where the venue's account is not as the journal has it.")
ACCOUNT_UNSEEN = Counter(
    "sluice_execution_account_unseen", "Comparisons of account and journal for which the venue did not answer.")
BALANCE_CHANGES = Counter(
    "sluice_execution_balance_changes", "Changes of a balance that no fill explains, by reason and asset.",
    ("reason", "asset"))
BEATS_MISSED = Counter("sluice_execution_beats_missed", "Signs of life that the exchange did not take.")
