"""The topics, each a contract: what it carries, how it is keyed, how many partitions it has, how long it keeps what.

The table is frozen here; `[topics]` of the configuration changes numbers of it for a deployment. Topics of instruments
have the same number of partitions, so that one instrument has one partition number in all of them, and a shard reads
the same numbers everywhere. Nothing is compacted: a message is an event, and none replaces another.
"""

from dataclasses import dataclass, replace
from typing import Final

from sluice.config.kafka import TopicOverrides
from sluice.config.settings import Settings
from sluice.errors import NotFoundError

INSTRUMENT_PARTITIONS: Final = 16
_MEBIBYTE: Final = 1 << 20
_DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Contract:
    """What a topic is in every deployment. `retention_hours` is None for ever; `payload` is a protobuf message."""

    name: str
    purpose: str
    key: str
    payload: str
    schema_version: int
    partitions: int = INSTRUMENT_PARTITIONS
    retention_hours: int | None = 7 * _DAY_HOURS
    max_message_bytes: int = _MEBIBYTE
    cleanup: str = "delete"


@dataclass(frozen=True, slots=True)
class Topic:
    """A contract in one deployment: under its full name, with its overrides, copied so many times."""

    full_name: str
    contract: Contract
    replication: int

    @property
    def configuration(self) -> dict[str, str]:
        """Return the topic's configuration as a broker states it."""
        hours = self.contract.retention_hours
        return {
            "cleanup.policy": self.contract.cleanup,
            "max.message.bytes": str(self.contract.max_message_bytes),
            "message.timestamp.type": "CreateTime",
            "min.insync.replicas": "2" if self.replication >= 3 else "1",
            "retention.bytes": "-1",
            "retention.ms": "-1" if hours is None else str(hours * 3_600_000),
        }


CONTRACTS: Final = (
    Contract("raw", "Frames exactly as a venue sent them: everything else can be made again from them.", "instrument",
             "sluice.market.v1.RawFrames", 1, max_message_bytes=4 * _MEBIBYTE),
    Contract("features", "Feature rows, one an instrument and tick.", "instrument", "sluice.features.v1.FeatureRow", 1),
    Contract("decisions", "What risk decided on each intent.", "instrument", "sluice.risk.v1.Decision", 1,
             retention_hours=30 * _DAY_HOURS),
    Contract("executions", "What happened to each order.", "instrument", "sluice.execution.v1.ExecutionReport", 1,
             retention_hours=30 * _DAY_HOURS),
    Contract("audit", "What people and services did; one partition, so that it has one order.", "operator",
             "sluice.audit.v1.AuditRecord", 1, partitions=1, retention_hours=None),
)


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Return a deployment's topics, in the order of the table."""
    return tuple(_in_deployment(contract, settings) for contract in CONTRACTS)


def topic(settings: Settings, name: str) -> Topic:
    """Return a topic by its short name, such as `raw`. Raises NotFoundError."""
    for contract in CONTRACTS:
        if contract.name == name:
            return _in_deployment(contract, settings)
    known = ", ".join(contract.name for contract in CONTRACTS)
    raise NotFoundError(f"a topic must be one of {known}, was {name!r}")


def prefix(settings: Settings) -> str:
    """Return the prefix of a deployment's topics and consumer groups."""
    return settings.topics.prefix or settings.run.namespace


def _in_deployment(contract: Contract, settings: Settings) -> Topic:
    overrides: TopicOverrides = getattr(settings.topics, contract.name)
    own = replace(
        contract, partitions=overrides.partitions or contract.partitions,
        retention_hours=overrides.retention_hours or contract.retention_hours,
        max_message_bytes=overrides.max_message_bytes or contract.max_message_bytes)
    return Topic(f"{prefix(settings)}.{contract.name}", own, settings.topics.replication)
