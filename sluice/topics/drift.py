"""How the topics of a broker differ from their contracts. Asks nobody: it compares what was found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sluice.topics.contracts import Topic


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as a broker has it."""

    partitions: int
    replication: int
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: in what, what should be, and what is."""

    topic: str
    what: str
    wanted: str
    found: str

    def sentence(self) -> str:
        """Return it for a person."""
        return f"{self.topic}: {self.what} must be {self.wanted}, was {self.found}"


def drifts(topic: Topic, found: Found | None) -> Iterator[Drift]:
    """Yield every difference of a topic; None found is a topic that is missing."""
    name = topic.full_name
    if found is None:
        yield Drift(name, "topic", "there", "missing")
        return
    if found.partitions != topic.contract.partitions:
        yield Drift(name, "partitions", str(topic.contract.partitions), str(found.partitions))
    if found.replication != topic.replication:
        yield Drift(name, "replication", str(topic.replication), str(found.replication))
    for key, wanted in topic.configuration.items():
        if (value := found.configuration.get(key, "not stated")) != wanted:
            yield Drift(name, key, wanted, value)
