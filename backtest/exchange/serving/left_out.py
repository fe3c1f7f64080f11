"""The lines of a tape that no stream can carry: counted by the reason for which a dataflow would set them aside."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from backtest.exchange.streams.recorded import recorded
from dataflows.codecs.binance import Rejection, decode, symbol_of, unroutable
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.tapes.frames import Frame


class LeftOut:
    """Passes frames on and counts what is left out: `lines`, and what was wrong `by_reason`.

    `symbols` are those that the exchange lists.
    """

    def __init__(self, symbols: Collection[str]) -> None:
        self._symbols = frozenset(symbols)
        self.by_reason: Counter[str] = Counter()
        self.lines = 0

    def frames(self, items: Iterable[Frame | DeadLetter]) -> Iterator[Frame]:
        """Yield the frames of a tape's items, from the beginning."""
        self.by_reason.clear()
        self.lines = 0
        for item in items:
            if isinstance(item, Frame):
                event = recorded(item)
                if event is None or event.symbol not in self._symbols:
                    self._count(item)
                yield item
            else:
                # A file that is cut off has no line that says so.
                self.lines += item.sequence > 0
                self.by_reason[item.reason.name] += 1

    def _count(self, frame: Frame) -> None:
        if (reason := self._reason(frame)) is not None:
            self.lines += 1
            self.by_reason[reason.name] += 1

    def _reason(self, frame: Frame) -> DeadLetterReason | None:
        """Return why no stream carries a frame; None for what REST answers with: a snapshot, open interest."""
        symbol = symbol_of(frame.payload, frame.symbol_hint)
        if not symbol:
            return unroutable(frame.payload).reason
        if symbol not in self._symbols:
            return DeadLetterReason.UNKNOWN_INSTRUMENT
        found = decode(frame.payload)
        return found.reason if isinstance(found, Rejection) else None
