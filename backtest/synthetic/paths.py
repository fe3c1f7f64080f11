"""The hidden state of the whole market, step by step: its regime, the common factor of returns and the common pressure.

What is hidden here shows in the books only through what `simulation` makes of it.
"""

from typing import NamedTuple

import numpy as np

from backtest.synthetic.draws import Generator, generator, normal, uniform
from backtest.synthetic.parameters import STEP_NS, MarketParameters
from dataflows.kernels import Floats, Integers, kernel

STEP_SECONDS = STEP_NS / 1e9
_NORMAL_REGIME = 1


class Paths(NamedTuple):
    """A chunk of the market's hidden state: one element a step.

    `regime` is an index of the parameters' regimes, `factor` a standard normal draw, `pressure` an Ornstein-Uhlenbeck
    process of variance one.
    """

    regime: Integers
    factor: Floats
    pressure: Floats


class CommonState:
    """Walks the hidden state of the market forward, chunk by chunk."""

    def __init__(self, parameters: MarketParameters) -> None:
        self._generator = generator(parameters.seed, "market")
        self._regime = np.array([_NORMAL_REGIME], np.int64)
        self._pressure = np.array([normal(self._generator)])
        self._leave = np.array([STEP_SECONDS / regime.mean_seconds for regime in parameters.regimes])
        self._fade = STEP_SECONDS / parameters.pressure_seconds

    def advance(self, steps: int) -> Paths:
        """Return the next steps."""
        paths = Paths(np.empty(steps, np.int64), np.empty(steps), np.empty(steps))
        _walk(paths, self._generator, self._regime, self._pressure, self._leave, self._fade)
        return paths


@kernel
def reverting(state: Generator, value: float, fade: float) -> float:
    """Return the next value of a process of variance one that fades at a rate a step (Ornstein-Uhlenbeck, Euler)."""
    return float(value - fade * value + np.sqrt(2.0 * fade) * normal(state))


@kernel
def next_regime(state: Generator, regime: int, leave: Floats) -> int:
    """Return the next regime of a Markov chain that goes to a neighbour, from the middle to either side."""
    if uniform(state) >= leave[regime]:
        return regime
    if regime == 0:
        return 1
    if regime == len(leave) - 1:
        return regime - 1
    return regime + 1 if uniform(state) < 0.5 else regime - 1


@kernel
def _walk(paths: Paths, state: Generator, regime: Integers, pressure: Floats, leave: Floats, fade: float) -> None:
    for step in range(len(paths.regime)):
        regime[0] = next_regime(state, regime[0], leave)
        pressure[0] = reverting(state, pressure[0], fade)
        paths.regime[step] = regime[0]
        paths.factor[step] = normal(state)
        paths.pressure[step] = pressure[0]
