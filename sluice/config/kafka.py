"""Settings of Kafka: where its brokers are, how topics are named, and what a deployment changes of their contracts."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from sluice.config.section import Section

BrokerAddress = Annotated[str, Field(pattern=r"^([^\s:,/]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$")]
#: TOML has no null, so an empty text says that the contract's value stands.
OptionalCount = Annotated[int | None, Field(ge=1), BeforeValidator(lambda value: None if value == "" else value)]


class KafkaSettings(Section):
    """The brokers, and how clients reach them."""

    bootstrap_servers: Annotated[tuple[BrokerAddress, ...], Field(min_length=1)] = Field(
        ("127.0.0.1:9092",), description="Some of the brokers, as host:port; the others are learned from them.")
    request_timeout_s: Annotated[int, Field(ge=1, le=300)] = Field(
        5, description="How long a broker may take to answer at the start, in seconds.")
    delivery_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = Field(
        120, description="How long a broker may be away before what waits for it stops the flow, in seconds.")
    client: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Properties of librdkafka for every client, such as `security.protocol` and `sasl.password`.")


class TopicOverrides(Section):
    """What differs from the contract."""

    partitions: OptionalCount = Field(
        None, description="Partitions. More than a topic has sends instruments elsewhere: see the topics' page.")
    retention_hours: OptionalCount = Field(None, description="Hours that messages are kept.")
    max_message_bytes: OptionalCount = Field(None, description="Largest message, compressed, in bytes.")


class TopicSettings(Section):
    """How a deployment's topics are named and copied. What they hold is in their contracts."""

    prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{0,100}$")] = Field(
        "", description="Prefix of topic names (`PREFIX.raw`) and consumer groups; empty for `run.namespace`.")
    replication: Annotated[int, Field(ge=1, le=9)] = Field(
        1, description="Copies of each partition. From 3 on, a write waits for two of them.")
    raw: TopicOverrides = Field(default_factory=TopicOverrides)
    features: TopicOverrides = Field(default_factory=TopicOverrides)
    decisions: TopicOverrides = Field(default_factory=TopicOverrides)
    executions: TopicOverrides = Field(default_factory=TopicOverrides)
    audit: TopicOverrides = Field(default_factory=TopicOverrides)
