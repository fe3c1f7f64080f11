"""Reading topics outside of a flow: the same source, driven by a plain loop. Nothing is told to a consumer group."""

import time
from collections.abc import Iterator
from typing import Final

from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.sources.kafka.source import KafkaReading, KafkaSource
from dataflows.topics.quiet import muted
from sluice.config.kafka import KafkaSettings
from sluice.errors import NotRunningError

_PAUSE_S: Final = 0.002
_WATCH: Final = "dataflows.sources.kafka.reading"


def batches(kafka: KafkaSettings, reading: KafkaReading) -> Iterator[list[ReceivedMessage]]:
    """Yield messages in the order of the merge, some at a time, up to the end of the reading.

    Raises SluiceError as the source does, and NotRunningError where what must still be there does not come for
    `kafka.delivery_timeout_s`. A reading that follows waits for as long as nothing comes.
    """
    with muted(_WATCH):  # a broker that is away at the start is the error's to say
        part = KafkaSource(kafka, reading).build_part("read", reading.shard, None)
    heard_s = time.monotonic()
    try:
        while True:
            try:
                found = [message for _key, message in part.next_batch()]
            except StopIteration:
                return
            if found:
                yield found
                heard_s = time.monotonic()
            elif not reading.follow and time.monotonic() - heard_s > kafka.delivery_timeout_s:
                raise _silent(kafka)
            else:
                time.sleep(_PAUSE_S)
    finally:
        part.close()


def _silent(kafka: KafkaSettings) -> NotRunningError:
    return NotRunningError(f"Kafka must give messages within {kafka.delivery_timeout_s} s, did not",
                           fix="see whether every broker runs, then try again")
