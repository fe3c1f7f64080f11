"""Reads damaged frames with every index checked: a process of its own, because Numba decides that when it is loaded."""

import random
import sys

import numpy as np

from dataflows.kernels import Integers, kernel
from tests.dataflows.codecs.opinions import Opinions
from tests.dataflows.codecs.test_binance_frames import USUAL, bare

_ALPHABET = b'0123456789.",[]{}:-+eE\\ abuUpsTm\xc3\x1f\n'


@kernel
def _beyond(values: Integers, index: int) -> int:
    return int(values[np.uint64(index)])


def damaged(payload: bytes, chance: random.Random) -> bytes:
    """Return a frame with some bytes changed, lost or repeated, often cut off."""
    changed = bytearray(payload)
    for _ in range(chance.randrange(4)):
        start = chance.randrange(len(changed) + 1)
        size = chance.choice((0, 1, 1, 9))
        changed[start : start + size] = bytes(chance.choices(_ALPHABET, k=chance.choice((0, 1, 1, 20))))
    return bytes(changed[: chance.choice((len(changed), chance.randrange(len(changed) + 1)))])


def main() -> int:
    """Return 0 where indices are checked and none is out of bounds."""
    try:
        _beyond(np.zeros(3, np.int64), 3)
    except IndexError:
        chance = random.Random(1)
        sources = [*USUAL, *map(bare, USUAL)]
        payloads = [damaged(chance.choice(sources), chance) for _ in range(20_000)]
        opinions = Opinions()
        read = sum(opinion is not None for start in range(0, len(payloads), 10)
                   for opinion in opinions.quick(payloads[start : start + 10]))
        return 0 if read > 100 else 2
    return 1


if __name__ == "__main__":
    sys.exit(main())
