"""The sink on a real broker: by the contract's rule, with its headers, and nothing lost in silence."""

import os
import signal

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME

from dataflows.sinks.kafka import KafkaSink, OutgoingMessage
from sluice.broker.local import LocalBroker
from sluice.errors import InputError, NotFoundError, NotRunningError
from sluice.topics.partitioning import partition_of
from tests.integration.kafka_topics import (
    KEYS,
    START_NS,
    kafka_settings,
    made_topic,
    message,
    stored,
    with_partitions,
    write,
)

pytestmark = [pytest.mark.needs("kafka")]


def test_message_goes_to_the_partition_of_its_key_with_headers_and_event_time(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "sink.contract")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    write(kafka, topic, [OutgoingMessage(key, key.encode(), START_NS + 1_999_999, trace) for key in KEYS])
    found = stored(kafka, topic)
    assert [(each.partition(), each.key()) for each in found] == [
        (partition_of(key, 4), key.encode()) for key in KEYS]
    assert {tuple(each.headers() or ()) for each in found} == {(
        ("schema", b"sluice.market.v1.RawFrames"), ("version", b"1"),
        ("event_time_ns", str(START_NS + 1_999_999).encode()), ("traceparent", trace.encode()))}
    assert {each.timestamp() for each in found} == {(TIMESTAMP_CREATE_TIME, START_NS // 1_000_000 + 1)}


def test_pipeline_that_is_full_holds_the_flow_back_and_loses_nothing(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "sink.full")
    settings = kafka_settings(kafka, client={"queue.buffering.max.messages": "10"})
    sink = KafkaSink(settings, topic).build_part("out", "raw", None)
    sink.write_batch([message(number, KEYS[0]) for number in range(500)])
    sink.snapshot()
    sink.close()
    assert [each.value() for each in stored(kafka, topic)] == [str(number).encode() for number in range(500)]


def test_broker_that_does_not_answer_in_time_stops_the_flow_and_one_that_pauses_does_not(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "sink.away")
    patient = KafkaSink(kafka_settings(kafka), topic).build_part("out", "raw", None)
    hasty = KafkaSink(kafka_settings(kafka, delivery_timeout_s=1), topic).build_part("out", "raw", None)
    pid = kafka.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        hasty.write_batch([message(1, "b")])
        with pytest.raises(NotRunningError, match=r"of sink\.away\.raw must be delivered, 1 could not be"):
            hasty.snapshot()
        with pytest.raises(NotRunningError, match="1 could not be"):
            hasty.write_batch([])
        patient.write_batch([message(2, "c")])
    finally:
        os.kill(pid, signal.SIGCONT)
    patient.snapshot()
    patient.close()
    hasty.close()
    assert b"2" in [each.value() for each in stored(kafka, topic)]


def test_message_beyond_the_limit_is_named_with_the_limit(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "sink.large")
    with pytest.raises(InputError, match=r"at most 100000 bytes") as error:
        write(kafka, topic, [OutgoingMessage("b", os.urandom(200_000), START_NS)])
    assert "topics.raw.max_message_bytes" in error.value.fix


def test_topic_that_is_missing_or_has_other_partitions_is_refused_at_the_start(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "sink.other")
    with pytest.raises(InputError, match=r"sink\.other\.raw must have 8 partitions, had 4"):
        KafkaSink(kafka_settings(kafka), with_partitions(topic, 8)).build_part("out", "raw", None)
    with pytest.raises(NotFoundError, match=r"missing\.raw must be there"):
        KafkaSink(kafka_settings(kafka), type(topic)("missing.raw", topic.contract, 1)).build_part("out", "raw", None)


def test_broker_that_is_away_at_the_start_is_told_in_time(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "sink.start")
    away = kafka_settings(kafka).model_copy(update={"bootstrap_servers": ("127.0.0.1:9",), "request_timeout_s": 1})
    with pytest.raises(NotRunningError, match=r"Kafka must answer at 127\.0\.0\.1:9 within 1 s"):
        KafkaSink(away, topic).build_part("out", "raw", None)
