"""Which partition a key belongs to: murmur2 of its bytes, as the partitioner of Kafka's Java clients computes it.

`partition = (murmur2(key in UTF-8) & 0x7fffffff) % partitions`. It is written down, and computed here, because clients
of other languages have other defaults (librdkafka's is CRC32): whoever writes to a topic by this rule, in Java by doing
nothing and in librdkafka by `partitioner=murmur2`, sends an instrument where its readers expect it.

Source: A. Appleby, MurmurHash2 (public domain, 2008), with the seed of `org.apache.kafka.common.utils.Utils.murmur2`.
"""

from functools import lru_cache
from typing import Final

_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_ROTATION: Final = 24
_WORD: Final = 0xFFFFFFFF


@lru_cache(maxsize=4096)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a key, such as an instrument's, in a topic of so many partitions."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Return the 32-bit hash, as an unsigned number (Java shows it signed)."""
    state = _SEED ^ len(data)
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start:start + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> _ROTATION) * _MULTIPLIER & _WORD
        state = state * _MULTIPLIER & _WORD ^ word
    if rest := data[whole:]:
        state = (state ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _WORD
    state = (state ^ state >> 13) * _MULTIPLIER & _WORD
    return state ^ state >> 15
