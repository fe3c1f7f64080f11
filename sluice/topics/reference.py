"""The page of the topics, made of their contracts."""

from collections.abc import Iterator
from typing import Final

from sluice.cli.reference.tables import table
from sluice.topics.contracts import CONTRACTS, Contract, Topic
from sluice.topics.headers import __doc__ as headers_text

_INTRODUCTION: Final = """\
# Topics

What stands on Kafka. A topic's full name is `PREFIX.NAME`; the prefix is `topics.prefix` of the
[configuration](configuration.md#topics), else `run.namespace`, so that deployments on one broker never meet.
`sluice topics create` makes what is missing, `sluice topics check` says what differs, `sluice topics describe` shows
what is there.
"""
_PARTITIONER: Final = """\
## Key to partition

`partition = (murmur2(key in UTF-8) & 0x7fffffff) % partitions`, which is what Kafka's Java clients do by default. Other
clients have to be told: librdkafka by `partitioner=murmur2`. An instrument's key is the one of the catalogue, such as
`BINANCE_USDM:BTCUSDT`, of 16 partitions the 11th counted from 0. Topics keyed by instrument have the same number of
partitions, so an instrument has the same partition number in each of them.

The number of partitions is part of the contract: a topic that gets more sends instruments elsewhere, and their order is
lost at that point. To change it, stop the flows, let them read to the end, make topics under another prefix and start
there.
"""
_TIME: Final = """\
## Time and retention

A message's timestamp is its event time, so that a past hour can be found by its time. Retention goes by it too: what is
older than a topic keeps is deleted within minutes, however lately it was written. A deployment that takes an old
recording needs longer `topics.NAME.retention_hours`; `sluice tape to-topic` refuses a tape that would be deleted.
"""
_LOOKING: Final = """\
## Looking at messages, and tapes to and from `raw`

| command | what it does |
|---|---|
| `sluice topics tail decisions --follow` | print each message as it comes, decoded, one JSON object a line |
| `sluice topics tail raw --from 2024-08-08T12:00 --limit 10` | the same of the first ten from a time on |
| `sluice tape to-topic recording.gz` | write a tape's frames to `raw` |
| `sluice tape from-topic -o tapes --from T --to T` | write an interval of `raw` as tapes, byte for byte |

A message of `raw` holds frames of one instrument within a tenth of a second, and its event time is the receive time of
the last one: reading from a time on misses no frame of it. A frame is known by instrument, receive time and sequence,
its line of the recording. A tape that is written twice is in the topic twice, and `from-topic` drops the repetition.
"""


def topics_page() -> str:
    """Return the page in Markdown."""
    titles = ("name", "what it carries", "key", "payload", "version", "partitions", "kept", "largest message")
    configurations = (("setting", "value"), *_configuration(CONTRACTS[0]))
    return "\n".join([
        _INTRODUCTION, *table(titles, (_row(contract) for contract in CONTRACTS)),
        "Beside these, of every topic (for `raw`, with one copy of each partition):\n",
        *table(configurations[0], iter(configurations[1:])),
        _PARTITIONER, _TIME, _LOOKING, "## Headers\n", (headers_text or "").strip(), ""])


def _row(contract: Contract) -> tuple[str, ...]:
    kept = "for ever" if contract.retention_hours is None else f"{contract.retention_hours // 24} days"
    return (f"`{contract.name}`", contract.purpose, contract.key, f"`{contract.payload}`",
            str(contract.schema_version), str(contract.partitions), kept, f"{contract.max_message_bytes >> 20} MiB")


def _configuration(contract: Contract) -> Iterator[tuple[str, str]]:
    for key, value in Topic("", contract, 1).configuration.items():
        yield f"`{key}`", f"`{value}`"
