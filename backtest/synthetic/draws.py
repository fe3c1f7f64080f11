"""Random draws that are the same on every machine and under every version of numpy: SplitMix64 and plain arithmetic.

A tape must be the same bytes for the same seed for ever, so nothing here goes through a library's generator or `exp`,
whose last digits differ between processors: only additions, multiplications and integer operations, which IEEE 754 and
the integers fix exactly. Not for anything that needs secrecy.
"""

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dataflows.kernels import kernel

#: A generator's state: one element.
Generator: TypeAlias = NDArray[np.uint64]


def generator(seed: int, *names: str) -> Generator:
    """Return a generator of its own for a seed and names, independent of all others."""
    text = "/".join((str(seed), *names))
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], dtype="<u8").astype(np.uint64)


@kernel
def uniform(state: Generator) -> float:
    """Draw from [0, 1). SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = state[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return float(mixed >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def below(state: Generator, bound: int) -> int:
    """Draw an integer from 0 to `bound` - 1."""
    return int(uniform(state) * bound)


@kernel
def normal(state: Generator) -> float:
    """Draw from a standard normal, cut at six: the sum of twelve uniforms (Irwin-Hall)."""
    total = 0.0
    for _ in range(12):
        total += uniform(state)
    return total - 6.0


@kernel
def exponential(value: float) -> float:
    """Return e to a value from about -8 to 8, within half a percent, by nothing but products: (1 + x/4096)^4096."""
    result = 1.0 + value / 4096.0
    for _ in range(12):
        result *= result
    return result


@kernel
def lognormal(state: Generator, median: float, deviation: float) -> float:
    """Draw a lognormal with this median; `deviation` is that of the logarithm."""
    return median * exponential(deviation * normal(state))
