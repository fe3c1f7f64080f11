"""Windows of returns for the tests of this folder: random ones that repeat themselves, and real ones."""

import gzip
from pathlib import Path

import msgspec
import numpy as np
from hypothesis import strategies as st

from dataflows.kernels import Floats


@st.composite
def returns(draw: st.DrawFn, longest: int = 300, shortest: int = 8) -> Floats:
    """Draw returns of some volatility: some of few values and many zeros, as ticks make, some with a jump."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(shortest, longest))
    values = random.standard_t(4, size)
    if draw(st.booleans()):
        values = np.round(values)
    if draw(st.booleans()):
        values[random.integers(size)] += 50.0
    return values * draw(st.sampled_from([1e-6, 1e-4, 1.0]))


def tape_mids(path: Path) -> Floats:
    """Return the mid price at each whole second of a raw tape, from its best-price messages alone."""
    seconds: dict[int, float] = {}
    with gzip.open(path) as lines:
        for line in lines:
            if b"@bookTicker" in line[:60]:
                stamp, payload = line.split(b" ", 1)
                ticker = msgspec.json.decode(payload)["data"]
                seconds[int(stamp) // 1_000_000_000 + 1] = (float(ticker["b"]) + float(ticker["a"])) / 2
    first, last = min(seconds), max(seconds)
    mids = [seconds[first]]
    for second in range(first + 1, last):
        mids.append(seconds.get(second, mids[-1]))
    return np.array(mids)
