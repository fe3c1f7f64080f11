"""What moves the market of a served exchange: the machine's clock, its readers, or its clients step by step.

It plays in short slices and lets requests in between them be answered, so that no frame waits for a request long and
no request for frames.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from backtest.exchange.serving.pace import PaceKind, Timeline
from backtest.exchange.serving.player import Player
from backtest.exchange.streams.hub import Hub
from backtest.metrics import BEHIND_SECONDS, FRAMES_PLAYED, MESSAGES_SENT
from sluice.clock import NS_PER_MS

#: Frames that are played before requests get their turn.
SLICE_FRAMES: Final = 256
#: Longest sleep by the clock; timers of the exchange are checked as often.
_TICK_S: Final = 0.005
#: At `max`: bytes that the slowest reader may have unread before the market waits for it.
_MOST_UNREAD_BYTES: Final = 1024 * 1024
_FOREVER_NS: Final = 2**62


class MarketRunner:
    """Moves one market. `flush` writes what was published; `at_end` says what happens after the last frame.

    `ended` is set at the end of a tape that is not begun again.
    """

    def __init__(
        self, player: Player, timeline: Timeline, hub: Hub, exchange_now_ns: Callable[[], int],
        flush: Callable[[], None], *, loop: bool = False,
    ) -> None:
        self._player = player
        self._timeline = timeline
        self._hub = hub
        self._exchange_now_ns = exchange_now_ns
        self._flush = flush
        self._loop = loop
        self._moving = asyncio.Lock()
        self._counted_messages = 0
        self.ended = asyncio.Event()

    def now_ms(self) -> int:
        """Return the exchange's time: by the clock where it moves the market, else as far as the market is."""
        if self._timeline.pace.kind is PaceKind.CLOCK:
            return max(self._timeline.now_ns(), self._exchange_now_ns()) // NS_PER_MS
        return self._exchange_now_ns() // NS_PER_MS

    async def run(self) -> None:
        """Move the market for ever; to be cancelled. In lockstep there is nothing to do."""
        if self._timeline.pace.kind is PaceKind.CLOCK:
            await self._run_by_clock()
        elif self._timeline.pace.kind is PaceKind.MAX:
            await self._run_by_readers()

    async def advance(self, until_ns: int) -> None:
        """Play up to and including a time, and let the exchange's time come to it."""
        async with self._moving:
            while self._slice(until_ns) == SLICE_FRAMES:  # noqa: ASYNC110  # it lets others have their turn
                await asyncio.sleep(0)
            self._player.pass_time(until_ns)
            self._flush()

    async def _run_by_clock(self) -> None:
        while True:
            now_ns = self._timeline.now_ns()
            played = self._slice(now_ns)
            behind = played == SLICE_FRAMES
            if not behind:
                self._player.pass_time(now_ns)
            self._flush()
            BEHIND_SECONDS.set(max(0, now_ns - self._exchange_now_ns()) / 1e9 if behind else 0.0)
            await asyncio.sleep(0 if behind else self._until_next(now_ns))

    def _until_next(self, now_ns: int) -> float:
        next_ns = self._player.next_ns
        if next_ns is None:
            return _TICK_S
        return min(_TICK_S, max(0.0, self._timeline.clock_seconds(next_ns - now_ns)))

    async def _run_by_readers(self) -> None:
        while True:
            await self._readers_are_ready()
            if not self._slice(_FOREVER_NS):
                await asyncio.sleep(_TICK_S)
            self._player.pass_time(self._exchange_now_ns())
            self._flush()
            await asyncio.sleep(0)

    async def _readers_are_ready(self) -> None:
        """Wait until somebody reads and nobody is far behind; without readers time stands still."""
        while not self._readers_can_take_more():  # noqa: ASYNC110  # transports tell only their protocols
            await asyncio.sleep(0.001)

    def _readers_can_take_more(self) -> bool:
        return any(True for _ in self._hub.streams()) and self._hub.most_unsent_bytes() <= _MOST_UNREAD_BYTES

    def _slice(self, until_ns: int) -> int:
        played = self._player.play(until_ns, SLICE_FRAMES)
        FRAMES_PLAYED.inc(played)
        MESSAGES_SENT.inc(self._hub.sent - self._counted_messages)
        self._counted_messages = self._hub.sent
        if self._player.ended:
            if self._loop:
                self._player.again()
            else:
                self.ended.set()
        return played


def reach_in_lockstep(runner: MarketRunner, latency_ms: int) -> Callable[[int | None], Awaitable[None]]:
    """Return what brings the market to a request's timestamp plus the order latency; without one it stays."""

    async def reach(timestamp_ms: int | None) -> None:
        if timestamp_ms is not None:
            await runner.advance((timestamp_ms + latency_ms) * NS_PER_MS)

    return reach


def reach_by_waiting(timeline: Timeline, latency_ms: int) -> Callable[[int | None], Awaitable[None]]:
    """Return what waits for the order latency, in exchange time."""

    async def reach(_timestamp_ms: int | None) -> None:
        if latency_ms and timeline.pace.kind is PaceKind.CLOCK:
            await asyncio.sleep(timeline.clock_seconds(latency_ms * NS_PER_MS))

    return reach
