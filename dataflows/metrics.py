"""What the dataflow counts, out of its statistics.

The counts belong to the run and not to the process: after a crash and a restart they go on from where the run stood.
"""

from typing import Final

from prometheus_client import Counter, Gauge

from dataflows.statistics import Counts

FRAMES = Counter("sluice_flow_frames", "Lines of the tape that were read.")
EVENTS = Counter("sluice_flow_events", "Frames that became an event of an instrument.")
DEAD_LETTERS = Counter("sluice_flow_dead_letters", "Lines and frames that were set aside, by reason.", ("reason",))
QUALITY = Counter(
    "sluice_flow_quality", "What the gates found in events, set aside or flagged, by reason.", ("reason",))
TICKS = Counter("sluice_flow_ticks", "Ticks that were worked to their end.")
INTENTS = Counter("sluice_flow_intents", "Intents that were put before risk.")
EVENT_TIME = Gauge("sluice_flow_event_time_seconds", "Event time of the last tick, in seconds since 1970.")

SOURCE_CONNECTIONS = Counter("sluice_source_connections", "Connections to an exchange's streams that were opened.")
SOURCE_DISCONNECTS = Counter("sluice_source_disconnects", "Such connections that ended without being replaced.")
SOURCE_OVERFLOWS = Counter("sluice_source_overflows", "Connections that were dropped because the flow was too slow.")
SOURCE_SNAPSHOTS = Counter("sluice_source_snapshots", "Depth snapshots that were put into the stream.")
SOURCE_BOOK_GAPS = Counter("sluice_source_book_gaps", "Differences of a book that did not follow the one before.")
SOURCE_POLLS = Counter("sluice_source_polls", "Answers with open interest that were put into the stream.")
SOURCE_FAILED_POLLS = Counter("sluice_source_failed_polls", "Requests for open interest that brought none.")

KAFKA_PRODUCED = Counter("sluice_kafka_produced_messages", "Messages that a broker has acknowledged.", ("topic",))
KAFKA_PRODUCE_WAITS = Counter("sluice_kafka_produce_waits", "Times that the pipeline to a broker was full.")
KAFKA_CONSUMED = Counter("sluice_kafka_consumed_messages", "Messages that a flow has read, in order.", ("topic",))
KAFKA_LATE = Counter("sluice_kafka_late_messages", "Messages read that came after one of a later event time.")
KAFKA_LAG = Gauge("sluice_kafka_lag_messages", "Messages that a flow has not read yet, as last heard of.", ("topic",))
KAFKA_STALLED = Gauge("sluice_kafka_stalled_seconds", "How long a broker that a flow reads from has been away.")
KAFKA_COMMIT_FAILURES = Counter(
    "sluice_kafka_commit_failures", "Offsets that could not be told to the consumer group; no message is lost by it.")

_PLAIN: Final = {"frames": FRAMES, "events": EVENTS, "ticks": TICKS, "intents": INTENTS}


class FlowCounters:
    """Brings the counters to what the statistics of a run say."""

    def __init__(self) -> None:
        self._told = Counts()

    def tell(self, counts: Counts) -> None:
        """Count what has come since the last time. Counts never go back within a process."""
        for name, counter in _PLAIN.items():
            counter.inc(getattr(counts, name) - getattr(self._told, name))
        for reason, number in counts.dead_letters_by_reason.items():
            DEAD_LETTERS.labels(reason).inc(number - self._told.dead_letters_by_reason.get(reason, 0))
        for reason, number in counts.quality_by_reason.items():
            QUALITY.labels(reason).inc(number - self._told.quality_by_reason.get(reason, 0))
        EVENT_TIME.set(counts.event_time_ns / 1e9)
        self._told = counts
