"""An exchange as a Bytewax source: one partition that routes what a feed receives as the tape source routes lines.

In lock-step it goes on after the line that a snapshot named, and a run is that of the tape itself. Live there is no
going back: a run that is started again begins with fresh books, its first item a dead letter that says how long it was
away. Ticks come with the frames, and with the clock where no frame comes.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from dataflows.sources.exchange.channel import gap
from dataflows.sources.exchange.feeds import new_handoff, new_thread
from dataflows.sources.exchange.handoff import FeedEnd, Handoff, Item
from dataflows.sources.tape import Routed, Router, TapeState
from dataflows.tapes.frames import Frame
from sluice.clock import NS_PER_MS, Clock, SystemClock
from sluice.config.market_source import ExchangeSourceSettings
from sluice.instruments import InstrumentCatalog


class ExchangeState(NamedTuple):
    """Where a partition stands: the router's state, and the last line read of an exchange in lock-step."""

    routed: TapeState = TapeState()
    after_line: int = 0


class ExchangeSource(FixedPartitionedSource[Routed, ExchangeState]):
    """An exchange's market as one partition. `clock` is the machine's, but in tests."""

    def __init__(
        self, settings: ExchangeSourceSettings, catalog: InstrumentCatalog, *, interval_ns: int, batch_lines: int = 500,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self.interval_ns = interval_ns
        self.batch_lines = batch_lines
        self.clock = clock or SystemClock()
        self.stop_requested = False

    @property
    def live(self) -> bool:
        """Tell whether frames are stamped by the machine's clock."""
        return self.settings.clock == "system"

    def list_parts(self) -> list[str]:
        """Return the one partition's name."""
        return ["exchange"]

    def build_part(self, step_id: str, for_part: str, resume_state: ExchangeState | None) -> "ExchangePartition":
        """Connect to the exchange, afresh or where a snapshot left it."""
        before = ExchangeState(TapeState(*resume_state[0]), resume_state[1]) if resume_state else ExchangeState()
        return ExchangePartition(self, before)

    def request_stop(self) -> None:
        """End the stream at the next batch, so that a last snapshot is taken."""
        self.stop_requested = True


class ExchangePartition(StatefulSourcePartition[Routed, ExchangeState]):
    """Routes what a feed in its own thread receives."""

    def __init__(self, source: ExchangeSource, before: ExchangeState) -> None:
        self._source = source
        self._line = before.after_line
        self._ended = before.routed.ended
        self._idle = False
        self._grace_ns = source.settings.tick_grace_ms * NS_PER_MS
        self._router = Router(source.catalog, source.interval_ns, self._router_state(before.routed))
        self._handoff = self._new_handoff(before.routed)
        self._feed = new_thread(source.settings, source.catalog, self._handoff, after_line=self._line)
        if not self._ended:
            self._feed.start()

    def next_batch(self) -> Iterable[Routed]:
        """Return what has come, and the ticks that are due. Raises `StopIteration` at the end or at a stop."""
        if self._ended or self._source.stop_requested:
            raise StopIteration
        items, until_ns = self._handoff.take(self._source.batch_lines)
        self._idle = not items
        batch: list[Routed] = []
        for item in items:
            batch.extend(self._routed(item))
        if self._source.live and until_ns:
            batch.extend(self._router.silence(until_ns - self._grace_ns))
        return batch

    def next_awake(self) -> datetime | None:
        """Return when to look again where nothing came; None for as soon as Bytewax likes, which is a millisecond."""
        poll_ms = self._source.settings.poll_ms
        return datetime.now(UTC) + timedelta(milliseconds=poll_ms) if self._idle and poll_ms > 1 else None

    def snapshot(self) -> ExchangeState:
        """Return the place after what was emitted."""
        return ExchangeState(self._router.state(), self._line)

    def close(self) -> None:
        """Close every connection."""
        self._feed.stop()

    def _routed(self, item: Item) -> Iterable[Routed]:
        if isinstance(item, FeedEnd):
            if item.failure is not None:
                raise item.failure
            self._ended = True
            return self._router.end()
        if isinstance(item, Frame):
            self._line = item.sequence
        return self._router.route(item)

    def _router_state(self, before: TapeState) -> TapeState:
        """Return where the router begins: live, no tick is made up for the time that we were away."""
        return before._replace(next_tick_ns=0) if self._source.live else before

    def _new_handoff(self, before: TapeState) -> Handoff:
        told_ns = max(before.last_time_ns, before.next_tick_ns - self._source.interval_ns)
        handoff = new_handoff(
            self._source.settings, self._source.clock, after_ns=told_ns, sequence=before.lines)
        if self._source.live and told_ns > 0:
            now_ns = handoff.stamp_ns()
            handoff.put_last(gap(f"the flow was away for {(now_ns - told_ns) / 1e9:.3f} s", now_ns))
        return handoff
