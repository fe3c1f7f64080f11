"""What the Binance venue counts."""

from prometheus_client import Counter

USER_EVENTS = Counter("sluice_binance_user_events", "Messages of the user stream, by kind.", ("kind",))
UNREADABLE = Counter("sluice_binance_unreadable_user_events", "Messages of the user stream that could not be read.")
GAPS = Counter("sluice_binance_user_stream_gaps", "Times at which words about orders may have been missed.")
QUESTIONS = Counter("sluice_binance_order_questions", "Orders whose fate was asked for because a word was missed.")
EXCHANGE_MADE = Counter(
    "sluice_binance_exchange_made_orders", "Words about orders that the exchange makes itself, such as liquidations.")
BEATS_MISSED = Counter("sluice_binance_beats_missed", "Signs of life that the exchange did not take.")
