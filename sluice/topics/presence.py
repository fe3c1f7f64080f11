"""Whether the topics that a flow is about to use are there and have the partitions that keys are sent by."""

from collections.abc import Iterable
from typing import Any

from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError, NotFoundError
from sluice.topics.clients import metadata
from sluice.topics.contracts import Topic


def require(client: Any, kafka: KafkaSettings, topics: Iterable[Topic]) -> None:
    """Return where every topic is there with the partitions of its contract.

    `client` is any of confluent_kafka's. Raises NotRunningError where no broker answers in time, NotFoundError for a
    topic that is missing, InputError for one with other partitions: its instruments would be looked for elsewhere.
    """
    known = metadata(client, kafka).topics
    for topic in topics:
        if topic.full_name not in known:
            raise NotFoundError(f"the topic {topic.full_name} must be there, was not found",
                                fix="run `sluice topics create`")
        found, wanted = len(known[topic.full_name].partitions), topic.contract.partitions
        if found != wanted:
            raise InputError(f"the topic {topic.full_name} must have {wanted} partitions, had {found}",
                             fix="see `sluice topics check` and docs/reference/topics.md")
