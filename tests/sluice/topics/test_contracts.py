"""The table of the topics: what holds for all of them, what a deployment may change, and how drift is found."""

import importlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.config.kafka import TopicOverrides, TopicSettings
from sluice.config.settings import RunSettings, Settings
from sluice.errors import InputError, NotFoundError
from sluice.topics.contracts import CONTRACTS, Contract, prefix, topic, topics
from sluice.topics.drift import Drift, Found, drifts
from sluice.topics.headers import check, event_time_of, headers_of, value_of

SETTINGS = Settings()
RAW = topic(SETTINGS, "raw")
AS_IT_SHOULD_BE = Found(RAW.contract.partitions, RAW.replication, RAW.configuration)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_payload_of_a_contract_is_a_message_of_ours(contract: Contract) -> None:
    package, _, message = contract.payload.rpartition(".")
    area = package.split(".")[1]
    module = importlib.import_module(f"{package}.{area}_pb2")
    assert getattr(module, message).DESCRIPTOR.full_name == contract.payload


def test_topics_of_instruments_have_the_same_partitions_and_those_of_the_audit_one() -> None:
    assert {contract.partitions for contract in CONTRACTS if contract.key == "instrument"} == {16}
    assert topic(SETTINGS, "audit").contract.partitions == 1


def test_every_topic_has_settings_of_its_own() -> None:
    overridable = {name for name, field in TopicSettings.model_fields.items() if field.annotation is TopicOverrides}
    assert {contract.name for contract in CONTRACTS} == overridable


def test_names_begin_with_the_namespace_or_the_prefix_given() -> None:
    assert [each.full_name for each in topics(Settings(run=RunSettings(namespace="paper")))] == [
        "paper.raw", "paper.features", "paper.decisions", "paper.executions", "paper.audit"]
    named = Settings(run=RunSettings(namespace="paper"), topics=TopicSettings(prefix="team.sluice"))
    assert prefix(named) == "team.sluice"
    assert topic(named, "raw").full_name == "team.sluice.raw"


def test_overrides_change_a_topic_and_no_other() -> None:
    changed = Settings(topics=TopicSettings(
        replication=3, raw=TopicOverrides(partitions=4, retention_hours=2, max_message_bytes=100)))
    raw = topic(changed, "raw")
    assert (raw.contract.partitions, raw.configuration["retention.ms"], raw.configuration["max.message.bytes"]) == (
        4, "7200000", "100")
    assert raw.configuration["min.insync.replicas"] == "2"
    assert topic(changed, "features").contract == topic(SETTINGS, "features").contract


def test_unknown_topic_is_named() -> None:
    with pytest.raises(NotFoundError, match=r"must be one of raw, features, .*, was 'ticks'"):
        topic(SETTINGS, "ticks")


def test_topic_as_it_should_be_has_no_drift_whatever_else_it_has() -> None:
    assert list(drifts(RAW, AS_IT_SHOULD_BE)) == []
    more = replace(AS_IT_SHOULD_BE, configuration={**RAW.configuration, "segment.bytes": "1"})
    assert list(drifts(RAW, more)) == []


@pytest.mark.parametrize(("found", "drift"), [
    (None, Drift("sluice.raw", "topic", "there", "missing")),
    (replace(AS_IT_SHOULD_BE, partitions=8), Drift("sluice.raw", "partitions", "16", "8")),
    (replace(AS_IT_SHOULD_BE, replication=2), Drift("sluice.raw", "replication", "1", "2")),
    (replace(AS_IT_SHOULD_BE, configuration={**RAW.configuration, "retention.ms": "1"}),
     Drift("sluice.raw", "retention.ms", "604800000", "1")),
    (replace(AS_IT_SHOULD_BE, configuration={key: value for key, value in RAW.configuration.items()
                                             if key != "cleanup.policy"}),
     Drift("sluice.raw", "cleanup.policy", "delete", "not stated"))])
def test_drift_is_told(found: Found | None, drift: Drift) -> None:
    assert list(drifts(RAW, found)) == [drift]


def test_event_time_without_a_header_is_the_one_of_the_message() -> None:
    assert event_time_of([], 7) == 7
    assert event_time_of([("event_time_ns", b"\xffx")], 7) == 7


@given(st.integers(0, 2**63 - 1), st.sampled_from(CONTRACTS))
def test_headers_say_what_was_put_in(event_time_ns: int, contract: Contract) -> None:
    made = headers_of(contract, event_time_ns, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    check(made, contract)
    assert event_time_of(made, 0) == event_time_ns
    assert value_of(made, "traceparent").startswith("00-0af7")
    assert value_of(headers_of(contract, event_time_ns), "traceparent") == ""


@pytest.mark.parametrize(("headers", "problem"), [
    ([], "must be sluice.market.v1.RawFrames, was 'not named'"),
    ([("schema", b"other")], "was 'other'"),
    ([("schema", RAW.contract.payload.encode())], "version 1 or older, was 'not named'"),
    ([("schema", RAW.contract.payload.encode()), ("version", b"2")], "version 1 or older, was '2'")])
def test_message_that_cannot_be_read_is_said_to_be_so(headers: list[tuple[str, bytes]], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        check(headers, RAW.contract)
