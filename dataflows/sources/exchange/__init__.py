"""The exchange as a source: Binance USD-M and COIN-M market streams, received as they are and forwarded unread.

A feed runs in a thread of its own: WebSocket connections, depth snapshots over REST, and the care that both need
(reconnects, rotation, watchdogs, gaps). It puts frames into a bounded queue, out of which a Bytewax partition routes
them exactly as it routes a tape's. Frames carry the time of their receipt; a feed decides nothing about a market.

`live` stamps frames with the machine's clock. `lockstep` takes the stamps from a simulated exchange that serves a tape,
and puts the frames of all connections back into the tape's order.
"""
