"""The matching's entry points: kernels that others call by address; see `backtest.entry_points`."""

from backtest.entry_points import EntryTable

ENTRIES = EntryTable(
    "compact", "on_displayed", "end_snapshot", "clear_side", "clear_range", "fill_by_trade", "fill_crossed", "on_price",
    "expire_idle_reducers", "expire_until", "open_slot", "rest", "end", "fill", "takeable", "take_levels", "refusal",
    "enter_book", "submit", "amend", "cancel")
