"""The simulated exchange: Binance's futures API over a recorded or synthetic market.

`core` is the state machine (orders, accounts, market) without any network; the other packages put it on sockets.
"""
