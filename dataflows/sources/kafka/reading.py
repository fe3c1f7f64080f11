"""What a consumer's callbacks and messages mean: received messages, errors that pass and errors that end a flow."""

import logging
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from dataflows.metrics import KAFKA_COMMIT_FAILURES, KAFKA_STALLED
from dataflows.sources.kafka.availability import Availability
from sluice.clock import NS_PER_MS
from sluice.config.kafka import KafkaSettings
from sluice.errors import SluiceError
from sluice.topics.clients import client_configuration, is_away, made
from sluice.topics.headers import event_time_of

_CONSUMER: Final = {
    "fetch.wait.max.ms": 100, "fetch.error.backoff.ms": 50, "queued.min.messages": 20_000,
    "queued.max.messages.kbytes": 32_768, "statistics.interval.ms": 500}
_log = logging.getLogger(__name__)


class ReceivedMessage(NamedTuple):
    """A message as read. `topic` is its contract's name, such as `raw`; nothing of key and payload has been judged."""

    topic: str
    partition: int
    offset: int
    event_time_ns: int
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]


def received(message: Message, topic: str) -> ReceivedMessage:
    """Return a message of Kafka as ours. Without a header that says it, its timestamp is its event time."""
    headers = tuple(cast("list[tuple[str, bytes | None]]", message.headers() or []))  # its own types say less
    event_time_ns = event_time_of(headers, -1)
    if event_time_ns < 0:  # asked for here alone, because asking takes a quarter of the whole
        event_time_ns = max(message.timestamp()[1], 0) * NS_PER_MS
    return ReceivedMessage(
        topic, message.partition() or 0, message.offset() or 0, event_time_ns,
        (message.key() or b"").decode(errors="replace"), message.value() or b"", headers)


class Watch:
    """What a consumer says beside its messages: brokers that come and go, commits that fail, errors for good."""

    def __init__(self) -> None:
        self.availability = Availability()
        self._fatal: KafkaError | None = None

    def consumer(self, kafka: KafkaSettings, group: str) -> Consumer:
        """Return a consumer that says it to us."""
        found: Consumer = made(Consumer, client_configuration(kafka, _CONSUMER, fixed={
            "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "error", "enable.partition.eof": True,
            "stats_cb": self._on_statistics, "error_cb": self._on_error, "on_commit": _on_commit}))
        return found

    def tell(self) -> None:
        """Bring the metric to what is known now, and raise SluiceError where the client cannot go on."""
        KAFKA_STALLED.set(self.availability.stalled_s(time.monotonic()))
        if self._fatal is not None:
            raise SluiceError(f"Kafka must let the flow read, refused: {self._fatal.str()}", fix="correct kafka.client")

    def _on_statistics(self, text: str) -> None:
        was_away = self.availability.is_away
        self.availability.on_statistics(text, time.monotonic())
        self._log_change(was_away)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  # its public name
            was_away = self.availability.is_away
            self.availability.on_away(time.monotonic())
            self._log_change(was_away)
        elif not is_away(error) and (error.fatal() or error.code() == KafkaError._AUTHENTICATION):  # noqa: SLF001
            self._fatal = error

    def _log_change(self, was_away: bool) -> None:
        if self.availability.is_away and not was_away:
            _log.warning("a broker is away: nothing comes of its partitions until it is back")
        elif was_away and not self.availability.is_away:
            _log.info("every broker is back")


def _on_commit(error: KafkaError | None, _parts: Sequence[TopicPartition]) -> None:
    if error is not None:
        KAFKA_COMMIT_FAILURES.inc()
        _log.warning("offsets were not told to the consumer group: %s", error.str())
