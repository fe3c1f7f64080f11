"""Building a feed with its queue and its thread, as the source and the recorder both need them."""

import random
import time

from dataflows.sources.exchange.clock import MonotoneClock
from dataflows.sources.exchange.handoff import Handoff
from dataflows.sources.exchange.live import LiveFeed
from dataflows.sources.exchange.lockstep import LockstepFeed
from dataflows.sources.exchange.threads import FeedThread
from sluice.clock import Clock
from sluice.config.market_source import ExchangeSourceSettings
from sluice.instruments import InstrumentCatalog


def new_handoff(settings: ExchangeSourceSettings, clock: Clock, *, after_ns: int = 0, sequence: int = 0) -> Handoff:
    """Return an empty queue whose times begin after one and whose frames after a number."""
    return Handoff(
        MonotoneClock(clock, after_ns), most_frames=settings.queue_frames,
        most_bytes=settings.queue_megabytes * 1024 * 1024, sequence=sequence)


def new_thread(
    settings: ExchangeSourceSettings, catalog: InstrumentCatalog, handoff: Handoff, *, after_line: int = 0
) -> FeedThread:
    """Return the thread of the feed that the settings ask for, not started. `after_line` is for lock-step alone."""
    draw = random.SystemRandom().random
    feed: LiveFeed | LockstepFeed
    if settings.clock == "system":
        feed = LiveFeed(settings, catalog, handoff, now_s=time.monotonic, draw=draw)
    else:
        feed = LockstepFeed(settings, catalog, handoff, after_line=after_line, now_s=time.monotonic, draw=draw)
    return FeedThread(feed.run, handoff)
