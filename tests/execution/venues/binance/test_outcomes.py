"""What an answer proves: a refusal is one only where the exchange said so, everything ambiguous is unknown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.venues.binance.outcomes import Verdict, judge


def body(code: int, message: str = "x") -> bytes:
    return json.dumps({"code": code, "msg": message}).encode()


@pytest.mark.parametrize(("status", "raw", "verdict"), [
    (200, b'{"orderId":1}', Verdict.DONE),
    (200, b"<html>", Verdict.UNKNOWN),
    (200, b"", Verdict.UNKNOWN),
    (400, body(-2019, "Margin is insufficient."), Verdict.REFUSED),
    (400, body(-5022), Verdict.REFUSED),
    (400, body(-2013), Verdict.REFUSED),
    (401, body(-2015), Verdict.REFUSED),
    (400, body(-1021), Verdict.NOT_CARRIED_OUT),
    (429, body(-1003), Verdict.NOT_CARRIED_OUT),
    (429, b"slow down", Verdict.NOT_CARRIED_OUT),
    (418, body(-1003), Verdict.NOT_CARRIED_OUT),
    (400, body(-1015), Verdict.NOT_CARRIED_OUT),
    (503, body(-1008), Verdict.NOT_CARRIED_OUT),
    (403, b"<html>forbidden</html>", Verdict.NOT_CARRIED_OUT),
    (503, b"Service Unavailable.", Verdict.NOT_CARRIED_OUT),
    (503, body(-1001, "Internal error; unable to process your request. Please try again."), Verdict.NOT_CARRIED_OUT),
    (503, body(-1000, "Unknown error, please check your request or try again later."), Verdict.UNKNOWN),
    (503, b"Unknown error, please check your request or try again later.", Verdict.UNKNOWN),
    (400, body(-1006), Verdict.UNKNOWN),
    (400, body(-1007), Verdict.UNKNOWN),
    (408, body(-1007), Verdict.UNKNOWN),
    (408, b"", Verdict.UNKNOWN),
    (400, body(-4116), Verdict.UNKNOWN),
    (500, body(-2019), Verdict.UNKNOWN),
    (502, b"bad gateway", Verdict.UNKNOWN),
    (504, b"", Verdict.UNKNOWN),
    (404, b"<html>", Verdict.UNKNOWN),
    (302, b"", Verdict.UNKNOWN),
    (400, b'{"code":"x"}', Verdict.UNKNOWN),
    (400, b'{"code":200,"msg":"success"}', Verdict.UNKNOWN),
])
def test_verdict_of_a_documented_answer(status: int, raw: bytes, verdict: Verdict) -> None:
    assert judge(status, raw).verdict is verdict


@given(st.integers(100, 599), st.one_of(st.binary(max_size=60), st.builds(body, st.integers(-9999, 9999), st.text())))
def test_nothing_ambiguous_becomes_a_certain_failure(status: int, raw: bytes) -> None:
    outcome = judge(status, raw)
    if outcome.verdict is Verdict.REFUSED:
        assert 400 <= status < 500
        assert outcome.code < 0
    if status >= 500 and outcome.verdict is not Verdict.UNKNOWN:
        named = outcome.code in {-1003, -1008, -1015, -1021, -5028}
        assert named or outcome.message.startswith(("Service Unavailable.", "Internal error; unable"))
    if outcome.code in {-1000, -1006, -1007} and status not in {418, 429}:
        assert outcome.verdict is Verdict.UNKNOWN or outcome.message.startswith(("Service Un", "Internal error; un"))


def test_text_names_code_and_message() -> None:
    assert judge(400, body(-2019, "Margin is insufficient.")).text == "-2019 Margin is insufficient."
    assert judge(504, b"").text == "HTTP 504"
