"""The HTTP face of the simulated exchange: keys, signatures, limits, parameters, routes and wire shapes.

It judges requests and words answers; what an order does is decided by `backtest.exchange.core` alone.
"""
