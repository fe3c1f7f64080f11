"""The live end of the reports: readers follow by sequence, first through the journal, then as reports are published.

A reader is only a number, the next sequence it wants, so it cannot miss a report or get one twice, and a slow one holds
nothing up. Reports are published after they are journalled.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

Page = Callable[[int, int], Awaitable[list[bytes]]]


class ReportFeed:
    """Serialised reports by sequence: the newest in memory, older ones read in pages."""

    def __init__(self, last_sequence: int, read_page: Page, keep: int = 10_000) -> None:
        """Continue after `last_sequence`; `read_page(first, last)` returns journalled reports in order."""
        self.last_sequence = last_sequence
        self._read_page = read_page
        self._recent: deque[bytes] = deque(maxlen=keep)
        self._news = asyncio.Event()

    def publish(self, reports: Sequence[bytes]) -> None:
        """Show journalled reports to every reader."""
        if not reports:
            return
        self._recent.extend(reports)
        self.last_sequence += len(reports)
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, first: int) -> AsyncIterator[bytes]:
        """Yield every report from a sequence on, for ever."""
        following = first
        while True:
            news = self._news
            for report in await self._available(following):
                following += 1
                yield report
            if following > self.last_sequence:
                await news.wait()

    async def _available(self, first: int) -> Sequence[bytes]:
        in_memory = self.last_sequence - len(self._recent) + 1
        if first >= in_memory:
            return [self._recent[index] for index in range(first - in_memory, len(self._recent))]
        return await self._read_page(first, in_memory - 1)
