"""Matching: what the venue would have done with our orders, given what it did with everybody else's.

One state an instrument and account, fed with the recorded market in its order and our orders at their arrival
(`instrument.InstrumentMatching` in decimals, `kernel` for compiled loops). It is pure and exact: no clock, no
randomness, whole ticks and lots, so the same events give the same fills.

What it assumes, and where it errs on the side of fewer fills:

* Our orders never change the recorded market. A level that we took from is empty for us by that much until the tape
  names the level again, so that no displayed quantity fills us twice.
* A trade that the book does not show yet has taken its quantity off the level already.
* A resting order waits behind everything displayed at its price on arrival. Trades at the price move it forward, and so
  does a displayed quantity below what was ahead; what cancels further back do depends on the queue model (`queueing`).
* A trade that the venue made before the order arrived never fills it, even where its message comes later.
* Our orders do not trade with each other. Where one would meet another of its account, self-trade prevention ends one
  of them or both; with NONE, for which the venue would let them trade, the resting one ends.

It is not a margin engine: no liquidation, no funding, no insufficient balance.
"""
