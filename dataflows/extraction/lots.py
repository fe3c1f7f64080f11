"""The frames of each symbol in a block of a tape, cut at ticks: what stands between a tape's reader and the actors.

Nothing is copied but places in the block's text.
"""

from collections import Counter
from collections.abc import Collection

import msgspec
import numpy as np

from dataflows.codecs.binance import symbol_of, unroutable
from dataflows.codecs.quick_frame import Text
from dataflows.codecs.symbols import UNFOUND, find_symbols
from dataflows.deadletters import DeadLetterReason
from dataflows.kernels import Integers
from dataflows.tapes.blocks import FrameBlock

#: A line that is no frame of a catalogued symbol.
_NOBODYS = -2


class FrameLot(msgspec.Struct, gc=False):
    """Frames of one symbol in the order of time, as `MarketActor.on_block` takes them."""

    buffer: Text
    starts: Integers
    ends: Integers
    times_ns: Integers
    sequences: Integers

    def __len__(self) -> int:
        """Return how many frames there are."""
        return len(self.starts)

    def split(self, time_ns: int) -> "tuple[FrameLot, FrameLot]":
        """Return the frames before a time, and the others."""
        at = int(np.searchsorted(self.times_ns, time_ns))
        return self._part(slice(at)), self._part(slice(at, None))

    def _part(self, part: slice) -> "FrameLot":
        return FrameLot(
            self.buffer, self.starts[part], self.ends[part], self.times_ns[part], self.sequences[part])


class FrameSorter:
    """Sorts the frames of a tape by symbol, as `binance.symbol_of` finds it.

    `dead_letters` counts, by reason, bad lines and the frames that belong to no catalogued symbol.
    """

    def __init__(self, catalogued: Collection[str]) -> None:
        self._catalogued = catalogued
        self._seen: list[str] = []
        self._text = np.frombuffer(b"", np.uint8)
        self._ends = np.empty(0, np.int64)
        self.dead_letters = Counter[str]()

    def lots(self, block: FrameBlock, lines_before: int) -> dict[str, FrameLot]:
        """Return the frames of each catalogued symbol of a block, before which so many lines came.

        Only frames whose symbol has not been seen yet, or that name it in an unusual form, are looked at one by one.
        """
        if block.hints[0] in self._catalogued:
            self._index_of(block.hints[0])
        found = np.empty(len(block), np.int64)
        find_symbols(block.buffer, block.starts, block.ends, self._text, self._ends, found)
        for index, problem in sorted(block.problems.items()):
            found[index] = _NOBODYS
            self.dead_letters[problem.reason.name] += 1
        for index in np.flatnonzero(found == UNFOUND).tolist():
            found[index] = self._search(block.payload(index), block.hints[index])
        numbers = block.numbers(lines_before)
        picked = ((symbol, np.flatnonzero(found == at)) for at, symbol in enumerate(self._seen))
        return {
            symbol: FrameLot(block.buffer, block.starts[at], block.ends[at], block.times_ns[at], numbers[at])
            for symbol, at in picked if len(at)}

    def _search(self, payload: bytes, hint: str) -> int:
        """Return which symbol a frame is of by the general way; count one that is of none."""
        symbol = symbol_of(payload, hint)
        if symbol is not None and symbol in self._catalogued:
            return self._index_of(symbol)
        reason = DeadLetterReason.UNKNOWN_INSTRUMENT if symbol else unroutable(payload).reason
        self.dead_letters[reason.name] += 1
        return _NOBODYS

    def _index_of(self, symbol: str) -> int:
        if symbol not in self._seen:
            self._seen.append(symbol)
            texts = [seen.encode() for seen in self._seen]
            self._text, self._ends = np.frombuffer(b"".join(texts), np.uint8), np.cumsum([*map(len, texts)])
        return self._seen.index(symbol)
