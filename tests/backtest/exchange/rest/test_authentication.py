"""Keys, signatures and times, in the order in which the venue refuses."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.authentication import Credentials, Security, authenticate, check_time
from backtest.exchange.rest.keys import ApiKey, KeyRing, Permission
from backtest.exchange.rest.signatures import HmacVerifier

NOW_MS = 1_750_000_000_000
READER = ApiKey("reader", "a", HmacVerifier("s"), frozenset({Permission.READ}))
KEYS = KeyRing([ApiKey("trader", "a", HmacVerifier("s")), READER])


def ask(key: str = "trader", security: Security = Security.SIGNED_TRADE, **sent: object) -> ApiKey | None:
    payload = "&".join(f"{name}={value}" for name, value in sent.items() if name != "signature").encode()
    if sent.get("signature") == "right":
        sent["signature"] = hmac.new(b"s", payload, hashlib.sha256).hexdigest()
    return authenticate(KEYS, security, Credentials(key, payload), {k: str(v) for k, v in sent.items()}, NOW_MS)


def code_of(**arguments: Any) -> tuple[int, int]:
    with pytest.raises(ExchangeError) as caught:
        ask(**arguments)
    return caught.value.code, caught.value.status


def test_a_signed_request_of_a_known_key_passes() -> None:
    found = ask(timestamp=NOW_MS, signature="right")
    assert found is not None
    assert found.account == "a"


@pytest.mark.parametrize(("arguments", "expected"), [
    ({"key": ""}, (-2014, 401)),
    ({"key": "no key, no key"}, (-2014, 401)),
    ({"key": "x" * 200}, (-2014, 401)),
    ({"key": "stranger"}, (-2015, 401)),
    ({"key": "reader", "timestamp": NOW_MS, "signature": "right"}, (-2015, 401)),
    ({}, (-1102, 400)),
    ({"timestamp": NOW_MS}, (-1102, 400)),
    ({"timestamp": NOW_MS, "signature": "wrong"}, (-1022, 400)),
    ({"timestamp": NOW_MS + 1000, "signature": "right"}, (-1021, 400)),
    ({"timestamp": NOW_MS - 5001, "signature": "right"}, (-1021, 400)),
    ({"timestamp": NOW_MS, "recvWindow": 60_001, "signature": "right"}, (-1131, 400)),
    ({"timestamp": "soon", "signature": "right"}, (-1100, 400)),
])
def test_what_is_wrong_is_named(arguments: dict[str, Any], expected: tuple[int, int]) -> None:
    assert code_of(**arguments) == expected


def test_a_key_may_do_what_it_is_permitted() -> None:
    assert ask("reader", Security.SIGNED_READ, timestamp=NOW_MS, signature="right") is READER
    assert ask("reader", Security.KEY) is READER
    assert ask("", Security.NONE) is None


def test_a_session_needs_no_signature() -> None:
    shown = Credentials("", b"", session=READER)
    assert authenticate(KEYS, Security.SIGNED_READ, shown, {}, NOW_MS) is READER


@given(st.integers(-70_000, 3_000), st.integers(0, 60_000))
def test_a_timestamp_passes_exactly_within_its_window(offset: int, window: int) -> None:
    sent = {"timestamp": str(NOW_MS + offset), "recvWindow": str(window)}
    legal = offset < 1000 and -offset <= window
    try:
        assert check_time(sent, NOW_MS) == NOW_MS + offset
        assert legal
    except ExchangeError as error:
        assert error.code == -1021
        assert not legal
