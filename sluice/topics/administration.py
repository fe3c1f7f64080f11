"""Asking a broker about the topics of a deployment, and making those that are missing. None is changed or deleted."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError
from sluice.topics.clients import admin_client, away, is_away, metadata, text_of
from sluice.topics.contracts import Topic
from sluice.topics.drift import Found

_RETRY_PAUSE_S: Final = 0.02
_NO_LEADER_YET: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class TopicAdministration:
    """A connection to one cluster. Every call raises NotRunningError where no broker answers in time."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._client: AdminClient = admin_client(kafka)

    def look(self, topics: Iterable[Topic]) -> dict[str, Found]:
        """Return what there is of these topics, by full name; a missing one is left out."""
        known = metadata(self._client, self._kafka).topics
        there = {topic.full_name: known[topic.full_name] for topic in topics if topic.full_name in known}
        configurations = self._configurations(list(there))
        return {name: Found(len(each.partitions), min((len(part.replicas) for part in each.partitions.values()),
                                                      default=0), configurations[name])
                for name, each in there.items()}

    def create(self, topics: Sequence[Topic]) -> None:
        """Make topics. One that somebody else makes meanwhile is no error. Raises InputError where one is refused."""
        if not topics:
            return
        made = self._client.create_topics([
            NewTopic(topic.full_name, num_partitions=topic.contract.partitions, replication_factor=topic.replication,
                     config=topic.configuration) for topic in topics], operation_timeout=self._kafka.request_timeout_s)
        for name, future in made.items():
            try:
                self._result(future)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise InputError(f"{name} must be one that the broker makes, was refused: {text_of(error)}",
                                     fix="correct [topics] of the configuration") from None

    def messages(self, found: Mapping[str, Found]) -> dict[str, int]:
        """Return about how many messages each topic holds: its last offsets less its first."""
        parts = [TopicPartition(name, part) for name, each in found.items() for part in range(each.partitions)]
        counted = dict.fromkeys(found, 0)
        for spec, sign in ((OffsetSpec.latest(), 1), (OffsetSpec.earliest(), -1)):
            for part, offset in self._offsets(parts, spec).items():
                counted[part.topic] += sign * offset
        return counted

    def _offsets(self, parts: Sequence[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        """Return an offset of each partition. One that was just made has no leader for a moment and is asked again."""
        offsets: dict[TopicPartition, int] = {}
        deadline = time.monotonic() + self._kafka.request_timeout_s
        while left := [part for part in parts if part not in offsets]:
            for part, future in self._client.list_offsets(dict.fromkeys(left, spec)).items():
                try:
                    offsets[part] = self._result(future).offset
                except KafkaException as error:
                    if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > deadline:
                        raise _refused(error) from None
                    time.sleep(_RETRY_PAUSE_S)
        return offsets

    def _configurations(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = self._client.describe_configs(resources) if resources else {}
        try:
            return {resource.name: {key: entry.value for key, entry in self._result(future).items()}
                    for resource, future in answers.items()}
        except KafkaException as error:
            raise _refused(error) from None

    def _result(self, future: "Future[Any]") -> Any:
        try:
            return future.result(self._kafka.request_timeout_s)
        except TimeoutError:
            raise away(self._kafka, KafkaException(KafkaError(KafkaError._TIMED_OUT))) from None  # noqa: SLF001  # its public name
        except KafkaException as error:
            if is_away(error.args[0]):
                raise away(self._kafka, error) from None
            raise


def _refused(error: KafkaException) -> InputError:
    return InputError(f"Kafka must tell about topics, refused: {text_of(error)}",
                      fix="correct kafka.client, or what its user may do at the broker")
