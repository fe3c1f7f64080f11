"""What plays the market: synthetic tapes, the simulated venue, the replay and its report.

This room may use every other one; none may use it. It decides nothing that live trading decides: decoding, features,
risk and order state are the same code as live.
"""
