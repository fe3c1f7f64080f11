"""The engine's entry points: kernels that strategies and others call by address; see `backtest.entry_points`.

So a strategy is compiled without the engine in it.
"""

from backtest.entry_points import EntryTable

ENTRIES = EntryTable(
    "run_exchange", "take_due", "publish", "request_latency", "response_latency", "send_request", "receive_rows",
    "receive_answer", "clear_depth", "run_together", "finish", "record_point", "wait", "send_order", "ask")
