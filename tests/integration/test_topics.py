"""`sluice topics` on a real broker: made once, compared with what should be, shown; and with no broker at all."""

import json
import socket
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import NewTopic

from sluice.broker.local import LocalBroker
from sluice.cli.application import root, run
from sluice.config.kafka import KafkaSettings
from sluice.topics.clients import admin_client, client_configuration
from sluice.topics.partitioning import partition_of

needs_kafka = pytest.mark.needs("kafka")


def sluice(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(root(), "sluice", ["topics", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def point_at(monkeypatch: pytest.MonkeyPatch, address: str, prefix: str = "commands") -> KafkaSettings:
    monkeypatch.setenv("SLUICE_KAFKA__BOOTSTRAP_SERVERS", address)
    monkeypatch.setenv("SLUICE_TOPICS__PREFIX", prefix)
    return KafkaSettings(bootstrap_servers=(address,))


@needs_kafka
def test_topics_are_made_once_and_drift_is_told(
    kafka: LocalBroker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = point_at(monkeypatch, kafka.bootstrap_servers)
    client = admin_client(settings)
    (too_small,) = client.create_topics([NewTopic("commands.raw", 4, 1)]).values()
    too_small.result(20)
    assert sluice(capsys, "check")[0] == 1

    code, out, _ = sluice(capsys, "create", "--json")
    assert (code, json.loads(out)) == (0, {
        "created": ["commands.features", "commands.decisions", "commands.executions", "commands.audit"],
        "there": ["commands.raw"]})
    assert json.loads(sluice(capsys, "create", "--json")[1])["created"] == []

    code, out, _ = sluice(capsys, "check", "--json")
    assert code == 1
    assert {(each["topic"], each["what"]): each["found"] for each in json.loads(out)["drifts"]} == {
        ("commands.raw", "partitions"): "4", ("commands.raw", "max.message.bytes"): "1048588"}
    assert "commands.raw: partitions must be 16, was 4" in sluice(capsys, "check")[1]

    monkeypatch.setenv("SLUICE_TOPICS__RAW__PARTITIONS", "4")
    monkeypatch.setenv("SLUICE_TOPICS__RAW__MAX_MESSAGE_BYTES", "1048588")
    assert sluice(capsys, "check")[:2] == (0, "All 5 topics are as they should be.\n")

    producer = Producer(client_configuration(settings))
    for _ in range(3):
        producer.produce("commands.features", b"row", key=b"BINANCE_USDM:BTCUSDT")
    assert producer.flush(20) == 0
    code, out, told = sluice(capsys, "describe", "--json")
    assert code == 0, told
    rows = {row["topic"]: row for row in json.loads(out)["topics"]}
    assert (rows["commands.features"]["messages"], rows["commands.raw"]["messages"]) == (3, 0)
    assert {row["state"] for row in rows.values()} == {"as it should be"}
    assert "commands.audit" in sluice(capsys, "describe")[1]


@needs_kafka
def test_librdkafka_that_is_told_the_partitioner_agrees_with_the_written_rule(kafka: LocalBroker) -> None:
    settings = KafkaSettings(bootstrap_servers=(kafka.bootstrap_servers,))
    client = admin_client(settings)
    (made,) = client.create_topics([NewTopic("partitioner", 16, 1)]).values()
    made.result(20)
    landed: dict[bytes | None, int | None] = {}

    def on_delivery(_: KafkaError | None, message: Message) -> None:
        landed[message.key()] = message.partition()

    producer = Producer(client_configuration(settings, {"partitioner": "murmur2"}))
    keys = [f"VENUE:KEY{number}" for number in range(50)]
    for key in keys:
        producer.produce("partitioner", b"", key=key.encode(), on_delivery=on_delivery)
    assert producer.flush(20) == 0
    assert landed == {key.encode(): partition_of(key, 16) for key in keys}


@pytest.mark.parametrize("command", ["create", "check", "describe"])
def test_broker_that_is_away_is_one_sentence(
        command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_KAFKA__REQUEST_TIMEOUT_S", "1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    point_at(monkeypatch, f"127.0.0.1:{port}")
    code, out, told = sluice(capsys, command)
    assert (code, out) == (3, "")
    assert told.splitlines() == [
        f"Error: Kafka must answer at 127.0.0.1:{port} within 1 s, did not: no answer",
        "Fix: start the broker, or correct kafka.bootstrap_servers and kafka.client"]


def test_wrong_property_of_a_client_is_a_wrong_configuration(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_KAFKA__CLIENT", '{"sasl.mechanismus": "PLAIN"}')
    code, _, told = sluice(capsys, "check")
    assert code == 4
    assert "sasl.mechanismus" in told
