"""Actors: one of each kind an instrument, holding all of its state and reading no clock.

`market` reads frames and makes features; `strategy` reads predictions and makes intents. An actor is fed events and
ticks of event time in order and can be stopped, written down and restored between any two of them.
"""
