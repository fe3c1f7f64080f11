"""The player: takes a market's frames to the exchange and to the streams, in the order and at the time of the exchange.

It plays up to a time and says where it stands; who calls it, and when, is the pace's business.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from backtest.exchange.core.commands import Command
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.exchange import Exchange
from backtest.exchange.serving.market_input import MarketInput
from backtest.exchange.serving.pace import Timeline
from backtest.exchange.serving.rebasing import is_kline, shifted
from dataflows.tapes.frames import Frame
from sluice.clock import NS_PER_MS
from sluice.errors import InputError

_FOREVER_NS: Final = 2**62


class Matching(Protocol):
    """What the player needs of the exchange."""

    @property
    def now_ns(self) -> int:
        """The exchange's time."""
        ...

    def on_frame(self, frame: Frame) -> None:
        """Take a frame of the market."""

    def advance_to(self, time_ns: int) -> None:
        """Let time pass without one."""


class Feed(Protocol):
    """What the player needs of the streams."""

    def on_frame(self, frame: Frame, time_ms: int) -> None:
        """Publish a frame."""

    def on_time(self, time_ms: int) -> None:
        """Publish what is due."""


class Player:
    """Plays one market. `ended` tells that its last frame was played; `frames` counts those that were."""

    def __init__(self, market: MarketInput, timeline: Timeline, matching: Matching, feed: Feed | None) -> None:
        self._market = market
        self._timeline = timeline
        self._matching = matching
        self._feed = feed
        self._frames: Iterator[Frame] = market.frames()
        self._next: Frame | None = None
        self._first_tape_ns = self._last_tape_ns = 0
        self.ended = False
        self.frames = 0
        self._take()
        if self._next is not None:
            self._first_tape_ns = self._next.receive_time_ns - timeline.shift_ns

    @property
    def next_ns(self) -> int | None:
        """Return the exchange's time of the next frame; None after the last."""
        return self._next.receive_time_ns if self._next is not None else None

    def play(self, until_ns: int, most: int) -> int:
        """Play frames up to and including a time, at most so many; return how many were played."""
        played = 0
        while played < most and (frame := self._next) is not None and frame.receive_time_ns <= until_ns:
            self._matching.on_frame(frame)
            if self._feed is not None:
                self._feed.on_frame(frame, frame.receive_time_ns // NS_PER_MS)
            self._take()
            played += 1
        self.frames += played
        return played

    def rebuild(self, exchange: Exchange, commands: Iterable[Command]) -> None:
        """Play the frames between commands of a journal and do each again where it came; refusals are passed over.

        Raises `InputError` where the market ends before a command's place.
        """
        for command in commands:
            missing = command.frames - exchange.frames_played
            if missing > 0 and self.play(_FOREVER_NS, missing) < missing:
                raise InputError(f"a journal must fit its tape, which ends before frame {command.frames}",
                                 fix="name the tape that the journal was written with")
            exchange.advance_to(command.time_ns)
            with contextlib.suppress(ExchangeError):
                command.apply(exchange)

    def pass_time(self, now_ns: int) -> None:
        """Let the exchange and the streams come to a time, after the frames before it were played."""
        if now_ns > self._matching.now_ns:
            self._matching.advance_to(now_ns)
        if self._feed is not None:
            self._feed.on_time(self._matching.now_ns // NS_PER_MS)

    def again(self) -> None:
        """Begin the market anew a second after its end, with later times."""
        self._timeline.append(self._first_tape_ns, self._last_tape_ns)
        self._frames, self.ended = self._market.frames(), False
        self._take()

    def _take(self) -> None:
        for frame in self._frames:
            self._last_tape_ns = frame.receive_time_ns
            shift_ns = self._timeline.shift_ns
            if shift_ns == 0:
                self._next = frame
                return
            if not is_kline(frame):
                self._next = shifted(frame, shift_ns)
                return
        self._next, self.ended = None, True
