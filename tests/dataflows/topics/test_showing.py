"""Messages of every contract as JSON, and what a contract cannot decode; times as people write them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.topics.showing import decoded, line_of
from dataflows.topics.times import nanoseconds_of, text_of
from sluice.errors import InputError
from sluice.features.v1 import features_pb2
from sluice.market.v1 import market_pb2
from sluice.topics.contracts import CONTRACTS, Contract
from sluice.topics.headers import headers_of

RAW, FEATURES = CONTRACTS[0], CONTRACTS[1]


def shown(contract: Contract, value: bytes) -> str:
    headers = tuple((name, value) for name, value in headers_of(contract, 5))
    return line_of(ReceivedMessage(contract.name, 0, 9, 5, "key", value, headers), contract)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_every_topic_has_a_message_that_can_be_decoded(contract: Contract) -> None:
    assert decoded(b"", contract).DESCRIPTOR.full_name == contract.payload
    assert json.loads(shown(contract, b""))["offset"] == 9


def test_payload_has_the_names_of_its_message() -> None:
    row = features_pb2.FeatureRow(instrument="BINANCE_USDM:BTCUSDT")
    assert json.loads(shown(FEATURES, row.SerializeToString()))["payload"] == {"instrument": "BINANCE_USDM:BTCUSDT"}


@given(st.binary(max_size=40) | st.sampled_from([b'{"a":1e-7,"b":12345678901234567890}', b'{"a":\n0.10}', b'["\xff"]']))
def test_any_message_and_any_frame_is_one_line_of_json(some: bytes) -> None:
    frames = market_pb2.RawFrames(frames=[market_pb2.RawFrame(venue=77, payload=some)])  # type: ignore[arg-type]  # a newer writer's
    for value in (some, frames.SerializeToString()):
        line = shown(RAW, value)
        assert "\n" not in line
        assert ("payload" in json.loads(line)) != ("problem" in json.loads(line))


@given(st.integers(0, 2**63 - 1))
def test_time_is_read_back_as_it_is_shown_to_the_microsecond(time_ns: int) -> None:
    assert nanoseconds_of(str(time_ns)) == time_ns
    assert nanoseconds_of(text_of(time_ns)) == time_ns // 1_000 * 1_000


def test_time_without_a_zone_is_utc_and_anything_else_is_refused() -> None:
    assert nanoseconds_of("2024-08-08T12:00") == nanoseconds_of("2024-08-08T14:00+02:00") == 1_723_118_400 * 10**9
    assert text_of(2**80) == str(2**80)
    for text in ("noon", "", "1969-12-31", "9" * 30, "-5"):
        with pytest.raises(InputError, match="a time must be ISO 8601 or nanoseconds since 1970"):
            nanoseconds_of(text)
