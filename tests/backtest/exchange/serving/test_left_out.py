"""What of a tape no stream can carry is counted, and everything is passed on."""

from backtest.exchange.serving.left_out import LeftOut
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.tapes.frames import Frame

SERVED = b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":1,"p":"5","q":"1","m":true}}'
SPACED = b'{"stream": "btcusdt@trade", "data": {"e": "trade", "E": 1, "T": 1, "s": "BTCUSDT", "p": "5", "q": "1"}}'
SNAPSHOT = b'{"lastUpdateId":1,"E":1,"T":1,"bids":[["1.0","1"]],"asks":[["1.1","1"]]}'
POLLED = b'{"openInterest":"10659.509","symbol":"BTCUSDT","time":1}'
UNSERVED = {
    b'{"stream":"nopeusdt@trade","data":{"e":"trade","s":"NOPEUSDT"}}': "UNKNOWN_INSTRUMENT",
    b"{no json": "MALFORMED_JSON",
}


def test_lines_without_a_stream_are_counted_by_reason_and_passed_on() -> None:
    left_out = LeftOut({"BTCUSDT"})
    payloads = [SERVED, SPACED, SNAPSHOT, POLLED, *UNSERVED]
    frames = [Frame(number, number, payload, "BTCUSDT") for number, payload in enumerate(payloads, start=1)]
    assert list(left_out.frames(frames)) == frames
    assert dict(left_out.by_reason) == dict.fromkeys(UNSERVED.values(), 1)
    assert left_out.lines == len(UNSERVED)


def test_a_damaged_file_is_a_reason_and_no_line() -> None:
    left_out = LeftOut({"BTCUSDT"})
    damaged = DeadLetter(DeadLetterReason.TRUNCATED_FILE, "cut off", 0, 0, b"")
    malformed = DeadLetter(DeadLetterReason.MALFORMED_LINE, "no line", 7, 0, b"")
    assert list(left_out.frames([malformed, damaged])) == []
    assert left_out.lines == 1
    assert dict(left_out.by_reason) == {"MALFORMED_LINE": 1, "TRUNCATED_FILE": 1}


def test_a_tape_that_begins_again_is_counted_anew() -> None:
    left_out = LeftOut({"BTCUSDT"})
    for _ in range(2):
        list(left_out.frames([Frame(1, 1, b"{no json", "")]))
    assert left_out.lines == 1
