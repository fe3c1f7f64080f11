"""Control messages of stream connections."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.streams.control import LARGEST_MESSAGE, MAX_STREAMS, MessageRate, Subscriptions


def asked(subscriptions: Subscriptions, **document: object) -> dict[str, object]:
    return msgspec.json.decode(subscriptions.handle(msgspec.json.encode(document)), type=dict)


def test_subscribing_listing_and_unsubscribing() -> None:
    found = Subscriptions(combined=False, names=("a@trade",))
    assert asked(found, method="SUBSCRIBE", params=["b@trade", "a@trade"], id=1) == {"result": None, "id": 1}
    assert asked(found, method="LIST_SUBSCRIPTIONS", id="x") == {"result": ["a@trade", "b@trade"], "id": "x"}
    assert asked(found, method="UNSUBSCRIBE", params=["a@trade", "never"], id=3) == {"result": None, "id": 3}
    assert list(found.names) == ["b@trade"]


def test_the_envelope_is_a_property() -> None:
    found = Subscriptions(combined=False)
    assert asked(found, method="GET_PROPERTY", params=["combined"], id=1) == {"result": False, "id": 1}
    assert asked(found, method="SET_PROPERTY", params=["combined", True], id=2) == {"result": None, "id": 2}
    assert found.combined


@pytest.mark.parametrize(("document", "code"), [
    ({"method": "SUBSCRIBE", "id": 1}, 2),
    ({"method": "EXPLODE", "params": [], "id": 1}, 2),
    ({"params": [], "id": 1}, 2),
    ({"method": "SUBSCRIBE", "params": [1], "id": 1}, 2),
    ({"method": "SUBSCRIBE", "params": ["a@trade"], "id": -1}, 2),
    ({"method": "SUBSCRIBE", "params": ["a@trade"], "id": [1]}, 2),
    ({"method": "SET_PROPERTY", "params": ["colour", 1], "id": 1}, 0),
    ({"method": "SET_PROPERTY", "params": ["combined", "yes"], "id": 1}, 1),
    ({"method": "SET_PROPERTY", "params": [], "id": 1}, 2),
])
def test_what_is_wrong_is_told_with_its_code_and_changes_nothing(document: dict[str, object], code: int) -> None:
    found = Subscriptions(combined=False)
    answer = asked(found, **document)
    assert answer["error"]["code"] == code  # type: ignore[index]
    assert not found.names
    assert not found.combined


def test_more_streams_than_a_connection_may_have_are_refused_whole() -> None:
    found = Subscriptions(combined=False)
    names = [f"s{number}@trade" for number in range(MAX_STREAMS)]
    assert "error" not in asked(found, method="SUBSCRIBE", params=names, id=1)
    assert "error" in asked(found, method="SUBSCRIBE", params=["one@trade"], id=2)
    assert len(found.names) == MAX_STREAMS


@given(st.binary(max_size=300))
def test_any_bytes_get_an_error_as_json(message: bytes) -> None:
    answer = msgspec.json.decode(Subscriptions(combined=True).handle(message))
    assert set(answer) <= {"error", "result", "id"}


def test_deep_nesting_and_long_messages_are_refused() -> None:
    found = Subscriptions(combined=True)
    assert b'"code":3' in found.handle(b"[" * 50_000)
    assert b'"code":3' in found.handle(b" " * (LARGEST_MESSAGE + 1))


def test_ten_messages_a_second_and_no_more() -> None:
    rate = MessageRate()
    assert all(rate.allows(0.05 * number) for number in range(10))
    assert not rate.allows(0.6)
    slow = MessageRate()
    assert all(slow.allows(0.101 * number) for number in range(100))
