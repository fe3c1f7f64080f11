"""The commands `sluice topics create`, `check` and `describe`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit, table

if TYPE_CHECKING:
    from sluice.config.settings import Settings
    from sluice.topics.contracts import Topic
    from sluice.topics.drift import Drift


@click.command(short_help="Make the topics that are missing.")
@config_option
@json_option
def create(settings: "Settings", as_json: bool) -> None:
    """Make the topics of this deployment that the broker does not have; a second time changes nothing.

    Topics that are there are left as they are: `sluice topics check` tells whether they are as they should be. Exit
    code 3 where no broker answers.
    """
    from sluice.topics.administration import TopicAdministration  # noqa: PLC0415  # loads librdkafka: no help page
    from sluice.topics.contracts import topics  # noqa: PLC0415

    administration, wanted = TopicAdministration(settings.kafka), topics(settings)
    found = administration.look(wanted)
    missing = [topic for topic in wanted if topic.full_name not in found]
    administration.create(missing)
    made = [topic.full_name for topic in missing]
    lines = [f"made {name}" for name in made] + [f"{name} is there" for name in found]
    emit({"created": made, "there": list(found)}, as_json, "\n".join(lines))


@click.command(short_help="Compare the broker's topics with what they should be.")
@config_option
@json_option
@click.pass_context
def check(context: click.Context, settings: "Settings", as_json: bool) -> None:
    """Compare the broker's topics with their contracts: whether they are there, partitions, copies, configuration.

    Exit code 1 where something differs, 3 where no broker answers.
    """
    from sluice.topics.administration import TopicAdministration  # noqa: PLC0415  # loads librdkafka: no help page
    from sluice.topics.contracts import topics  # noqa: PLC0415
    from sluice.topics.drift import drifts  # noqa: PLC0415

    wanted = topics(settings)
    found = TopicAdministration(settings.kafka).look(wanted)
    different = [drift for topic in wanted for drift in drifts(topic, found.get(topic.full_name))]
    data = {"drifts": [{"topic": each.topic, "what": each.what, "wanted": each.wanted, "found": each.found}
                       for each in different]}
    emit(data, as_json, _told(different, len(wanted)))
    context.exit(1 if different else 0)


def _told(different: "Sequence[Drift]", count: int) -> str:
    if not different:
        return f"All {count} topics are as they should be."
    advice = "`sluice topics create` makes what is missing; docs/reference/topics.md says how to change the rest."
    return "\n".join([*(each.sentence() for each in different), advice])


@click.command(short_help="Show the topics, as they should be and as they are.")
@config_option
@json_option
def describe(settings: "Settings", as_json: bool) -> None:
    """Show each topic of this deployment: what it carries, its partitions and retention, and how much it holds.

    Exit code 3 where no broker answers.
    """
    from sluice.topics.administration import TopicAdministration  # noqa: PLC0415  # loads librdkafka: no help page
    from sluice.topics.contracts import topics  # noqa: PLC0415
    from sluice.topics.drift import drifts  # noqa: PLC0415

    wanted = topics(settings)
    administration = TopicAdministration(settings.kafka)
    found = administration.look(wanted)
    messages = administration.messages(found)
    rows = [{**_described(topic), "messages": messages.get(topic.full_name, 0),
             "state": _state(len(list(drifts(topic, found.get(topic.full_name)))), topic.full_name in found)}
            for topic in wanted]
    columns = ("topic", "key", "payload", "version", "partitions", "replication", "retention", "messages", "state")
    emit({"topics": rows}, as_json, table(columns, [[str(row[column]) for column in columns] for row in rows]))


def _described(topic: "Topic") -> dict[str, Any]:
    contract = topic.contract
    return {
        "topic": topic.full_name, "purpose": contract.purpose, "key": contract.key, "payload": contract.payload,
        "version": contract.schema_version, "partitions": contract.partitions, "replication": topic.replication,
        "retention": "for ever" if contract.retention_hours is None else f"{contract.retention_hours} h",
        "configuration": topic.configuration}


def _state(differences: int, there: bool) -> str:
    if not there:
        return "missing"
    return f"{differences} differences" if differences else "as it should be"
