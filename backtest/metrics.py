"""What the simulated exchange counts: connections, what it sends, requests and orders by outcome, and faults."""

from prometheus_client import Counter, Gauge

CONNECTIONS = Gauge("sluice_exchange_connections", "Open WebSocket connections of market and user streams.")
FRAMES_PLAYED = Counter("sluice_exchange_frames_played", "Frames of the market that the exchange has taken in.")
MESSAGES_SENT = Counter("sluice_exchange_messages_sent", "Messages of market streams, once for each that gets one.")
USER_EVENTS = Counter("sluice_exchange_user_events", "Events of accounts, by kind.", ("kind",))
REQUESTS = Counter(
    "sluice_exchange_requests", "Requests that reached the exchange, by operation and outcome: ok, refused or fault.",
    ("operation", "outcome"))
FAULTS = Counter("sluice_exchange_faults", "Faults on request that have happened.")
BEHIND_SECONDS = Gauge("sluice_exchange_behind_seconds", "How far the market is behind the clock that moves it.")
