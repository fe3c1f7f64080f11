"""Binance futures as a venue: USD-M and COIN-M in one code path, over REST or the WebSocket order API.

`venue` is what execution talks to. Signing, limits, outcomes, wire shapes and translation are pure and stand alone.
Nothing here knows whether the exchange behind the addresses is real.
"""
