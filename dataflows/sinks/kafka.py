"""A topic as a Bytewax sink: messages are produced in a pipeline, and a snapshot waits until all of them are there.

Every message goes to the partition of its key by the contract's rule, with the contract's headers, and its timestamp is
its event time. What could not be delivered stops the flow at its next write or snapshot, so no snapshot is ever taken
past a lost message, and the next run sends it again. A restart repeats messages: readers drop what they have seen by
(instrument, sequence). Nothing here is transactional.
"""

import time
from typing import Final, NamedTuple

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from dataflows.metrics import KAFKA_PRODUCE_WAITS, KAFKA_PRODUCED
from sluice.clock import NS_PER_MS
from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError, NotRunningError, SluiceError
from sluice.topics.clients import client_configuration, is_away, made
from sluice.topics.contracts import Topic
from sluice.topics.headers import headers_of
from sluice.topics.partitioning import partition_of
from sluice.topics.presence import require

_POLL_S: Final = 0.1  # how long a signal may have to wait for us
_FLUSH_MARGIN_S: Final = 5.0
_PRODUCER: Final = {
    "linger.ms": 1, "compression.type": "lz4", "queue.buffering.max.messages": 100_000,
    "queue.buffering.max.kbytes": 65_536}


class OutgoingMessage(NamedTuple):
    """A message to send: its key, such as an instrument's, its payload, its event time and the trace it is part of."""

    key: str
    value: bytes
    event_time_ns: int
    traceparent: str = ""


class KafkaSinkPartition(StatefulSinkPartition[OutgoingMessage, None]):
    """Produces to every partition of a topic."""

    def __init__(self, kafka: KafkaSettings, topic: Topic) -> None:
        """Connect. Raises SluiceError where the broker or the topic is not as it must be."""
        self._kafka, self._topic = kafka, topic
        self._failed = 0
        self._failure: KafkaError | None = None
        self._produced = KAFKA_PRODUCED.labels(topic.contract.name)
        self._producer: Producer = made(Producer, client_configuration(kafka, _PRODUCER, fixed={
            "enable.idempotence": True, "acks": "all", "message.timeout.ms": kafka.delivery_timeout_s * 1000,
            "message.max.bytes": max(topic.contract.max_message_bytes, 1000)}))
        require(self._producer, kafka, [topic])

    def write_batch(self, items: list[OutgoingMessage]) -> None:
        """Hand messages to the pipeline; waits where it is full. Raises SluiceError where an earlier one was lost."""
        for item in items:
            self._produce(item)
        self._producer.poll(0)
        self._raise_lost()

    def snapshot(self) -> None:
        """Return when every message is on the broker. Raises SluiceError where one cannot be delivered."""
        deadline = time.monotonic() + self._kafka.delivery_timeout_s + _FLUSH_MARGIN_S
        while (left := self._producer.flush(_POLL_S)) > 0:
            if time.monotonic() > deadline:
                raise NotRunningError(f"Kafka must take {left} messages of {self._topic.full_name} within "
                                      f"{self._kafka.delivery_timeout_s} s, did not", fix="start the broker")
        self._raise_lost()

    def close(self) -> None:
        """Give what is still under way a moment; only a flow that has failed leaves anything to this."""
        self._producer.flush(1.0)

    def _produce(self, item: OutgoingMessage) -> None:
        contract = self._topic.contract
        while True:
            try:
                self._producer.produce(
                    self._topic.full_name, item.value, item.key.encode(),
                    partition=partition_of(item.key, contract.partitions), on_delivery=self._on_delivery,
                    timestamp=item.event_time_ns // NS_PER_MS,
                    headers=list(headers_of(contract, item.event_time_ns, item.traceparent)))
            except BufferError:
                KAFKA_PRODUCE_WAITS.inc()
                self._producer.poll(_POLL_S)
                self._raise_lost()
            except KafkaException as error:
                raise self._lost(error.args[0], 1) from None
            else:
                return

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self._produced.inc()
            return
        self._failed += 1
        self._failure = self._failure or error

    def _raise_lost(self) -> None:
        if self._failure is not None:
            raise self._lost(self._failure, self._failed)

    def _lost(self, error: KafkaError, count: int) -> SluiceError:
        text = f"every message of {self._topic.full_name} must be delivered, {count} could not be: {error.str()}"
        if is_away(error):
            return NotRunningError(text, fix="start the broker; the flow goes on from its last snapshot")
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            name = self._topic.contract.name
            return InputError(f"{text} (at most {self._topic.contract.max_message_bytes} bytes)",
                              fix=f"raise topics.{name}.max_message_bytes, and the topic's own limit with it")
        return SluiceError(text, fix="see `sluice topics check`")


class KafkaSink(FixedPartitionedSink[OutgoingMessage, None]):
    """One topic of a deployment. Items are (any key, message): the message's own key says where it goes."""

    def __init__(self, kafka: KafkaSettings, topic: Topic) -> None:
        self._kafka, self._topic = kafka, topic

    def list_parts(self) -> list[str]:
        """Return the one partition's name: one producer serves all of Kafka's."""
        return [self._topic.contract.name]

    def part_fn(self, item_key: str) -> int:
        """Return the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> KafkaSinkPartition:
        """Connect."""
        return KafkaSinkPartition(self._kafka, self._topic)
