"""A latency histogram of fixed logarithmic buckets, so that histograms of different processes can be added.

Buckets grow by 1.9 % from 1 us to 100 s, and a percentile is the middle of its bucket: within 1 % of the true value in
that range. Shorter times count as at most 1 us, longer ones lie between 100 s and the longest recorded. The idea is
that of HdrHistogram (http://hdrhistogram.org) with plain logarithmic buckets. It is not a Prometheus metric.
"""

import math
import struct
import zlib
from bisect import bisect_right
from typing import Final, Self

from sluice.errors import InputError

SHORTEST_NS: Final = 1_000
LONGEST_NS: Final = 100_000_000_000
GROWTH: Final = 1.019
_NS_PER_MS: Final = 1e6
_BUCKETS: Final = math.ceil(math.log(LONGEST_NS / SHORTEST_NS) / math.log(GROWTH))
_BOUNDS: Final = [*(round(SHORTEST_NS * GROWTH**index) for index in range(_BUCKETS)), LONGEST_NS]
_HEADER: Final = struct.Struct("<4sIQQ")  # magic, number of filled buckets, shortest and longest time in ns
_BUCKET: Final = struct.Struct("<HQ")  # index, count
_CHECKSUM: Final = struct.Struct("<I")
_MAGIC: Final = b"SLH1"


class LatencyHistogram:
    """Counts times in nanoseconds and answers percentiles in milliseconds."""

    __slots__ = ("count", "counts", "longest_ns", "shortest_ns")

    def __init__(self) -> None:
        """Make an empty histogram. To be read: `count` of all times, `counts` of each bucket, the two extremes."""
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.shortest_ns = 0
        self.longest_ns = 0
        self.count = 0

    def record(self, ns: int) -> None:
        """Count one time in nanoseconds. Raises InputError where it is negative."""
        if ns < 0:
            raise InputError(f"a latency must not be negative, was {ns} ns")
        self.counts[bisect_right(_BOUNDS, ns)] += 1
        self.shortest_ns = ns if self.count == 0 else min(self.shortest_ns, ns)
        self.longest_ns = max(self.longest_ns, ns)
        self.count += 1

    def percentile(self, q: float) -> float:
        """Return the time in milliseconds that a fraction `q` (0 to 1) of the recorded ones does not exceed.

        NaN where nothing was recorded. 0 and 1 give the exact shortest and longest. Raises InputError for another `q`.
        """
        if not 0.0 <= q <= 1.0:
            raise InputError(f"q must be a fraction from 0 to 1, was {q}")
        if self.count == 0:
            return math.nan
        rank = math.ceil(q * self.count)
        if rank in {0, self.count}:
            return (self.shortest_ns if rank == 0 else self.longest_ns) / _NS_PER_MS
        return min(max(_middle_ns(self._bucket_of(rank)), self.shortest_ns), self.longest_ns) / _NS_PER_MS

    def _bucket_of(self, rank: int) -> int:
        seen = 0
        for index, count in enumerate(self.counts):
            seen += count
            if seen >= rank:
                return index
        return len(_BOUNDS)

    def merge(self, other: "LatencyHistogram") -> None:
        """Add everything that another histogram counted."""
        if other.count == 0:
            return
        self.shortest_ns = min(self.shortest_ns, other.shortest_ns) if self.count else other.shortest_ns
        self.longest_ns = max(self.longest_ns, other.longest_ns)
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.count += other.count

    def to_bytes(self) -> bytes:
        """Return an exact copy with a version and a checksum; equal histograms give equal bytes."""
        filled = [(index, count) for index, count in enumerate(self.counts) if count]
        body = _HEADER.pack(_MAGIC, len(filled), self.shortest_ns, self.longest_ns)
        body += b"".join(_BUCKET.pack(index, count) for index, count in filled)
        return body + _CHECKSUM.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Restore what `to_bytes` gave. Raises InputError where the bytes are damaged or of another version."""
        body, checksum = data[:-_CHECKSUM.size], data[-_CHECKSUM.size:]
        if len(data) < _HEADER.size + _CHECKSUM.size or checksum != _CHECKSUM.pack(zlib.crc32(body)):
            raise InputError(f"a histogram must be whole, was {len(data)} bytes that do not match their checksum")
        magic, filled, shortest_ns, longest_ns = _HEADER.unpack_from(body)
        if magic != _MAGIC or len(body) != _HEADER.size + filled * _BUCKET.size:
            raise InputError(f"a histogram must be of version {_MAGIC!r}, was {magic!r}")
        histogram = cls()
        histogram.shortest_ns, histogram.longest_ns = shortest_ns, longest_ns
        for index, count in _BUCKET.iter_unpack(body[_HEADER.size:]):
            histogram.counts[index] = count
            histogram.count += count
        return histogram

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatencyHistogram) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # it changes


def _middle_ns(index: int) -> float:
    """Return the geometric middle of a bucket; the first and last have only one bound."""
    if index in {0, len(_BOUNDS)}:
        return float(SHORTEST_NS if index == 0 else LONGEST_NS)
    return math.sqrt(_BOUNDS[index - 1] * _BOUNDS[index])
