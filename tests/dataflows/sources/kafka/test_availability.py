"""A broker that is away is noticed, and for how long, out of librdkafka's statistics."""

import json
from typing import Any

import pytest

from dataflows.sources.kafka.availability import Availability


def statistics(*states: str, leaders: tuple[int, ...] = (1,), fetching: str = "active") -> str:
    brokers: dict[str, Any] = {f"host:{number}/{number}": {"nodeid": number, "state": state}
                               for number, state in enumerate(states, start=1)}
    brokers["host:1/bootstrap"] = {"nodeid": -1, "state": "UP"}
    partitions = {str(number): {"leader": leader, "fetch_state": fetching} for number, leader in enumerate(leaders)}
    return json.dumps({"brokers": brokers, "topics": {"raw": {"partitions": partitions}}})


@pytest.mark.parametrize(("told", "away"), [
    (statistics("UP"), False), (statistics("TRY_CONNECT"), True), (statistics("UP", "DOWN"), False),
    (statistics("UP", "DOWN", leaders=(1, 2)), True),
    (statistics("UP", "DOWN", leaders=(2,), fetching="none"), False), ("{}", False)])
def test_leader_that_is_not_connected_is_away(told: str, away: bool) -> None:
    availability = Availability()
    availability.on_statistics(told, 1.0)
    assert availability.is_away is away


def test_absence_is_measured_from_its_beginning_until_the_leader_is_back() -> None:
    availability = Availability()
    assert availability.stalled_s(5.0) == 0.0
    availability.on_away(6.0)
    availability.on_statistics(statistics("DOWN"), 8.0)
    assert availability.stalled_s(9.5) == 3.5
    availability.on_statistics(statistics("UP"), 10.0)
    assert availability.stalled_s(11.0) == 0.0
