"""The gate: decides on every order before it may exist, and signs what it lets through.

A pure engine (checks, sizing, portfolio, reservations, drawdown) and a gRPC shell around it that journals before it
answers. It never talks to an exchange; only execution does, and only with an approval from here.
"""
