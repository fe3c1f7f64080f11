"""WebSocket streams of the simulated exchange: names, control messages, connections, and what is published on them.

Nothing here plays a tape or listens at a port; that is `backtest.exchange.serving`.
"""
