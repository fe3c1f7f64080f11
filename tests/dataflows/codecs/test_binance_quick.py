import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.codecs import binance_quick as quick
from dataflows.codecs.binance import MarketEvent, Rejection, decode
from dataflows.codecs.binance_events import BookTicker, Trade
from tests.dataflows.codecs import wire

TICKER = wire.ticker(5123107839020, "61800.20", "61800.30", "2.507", "0")
TRADE = wire.trade("61800.30", "0.006", sold=True)
BARE_TICKER = TICKER.replace(b'{"stream":"btcusdt@bookTicker","data":', b"")[:-1]
BARE_TRADE = TRADE.replace(b'{"stream":"btcusdt@trade","data":', b"")[:-1]


def quickly(payload: bytes, symbol: str = "BTCUSDT") -> MarketEvent | None:
    """Return the event that the kernel reads, or None where it declines."""
    numbers = np.full(quick.NUMBERS, np.nan)
    text, expected = np.frombuffer(payload, np.uint8), np.frombuffer(symbol.encode(), np.uint8)
    kind, update_id, maker = quick.read(text, expected, numbers)
    if kind == quick.BOOK_TICKER:
        return BookTicker(symbol, update_id, *numbers[: quick.PRICE].tolist())
    if kind == quick.TRADE:
        return Trade(symbol, float(numbers[quick.PRICE]), float(numbers[quick.QUANTITY]), maker)
    return None


@pytest.mark.parametrize("payload", [TICKER, TRADE, BARE_TICKER, BARE_TRADE])
def test_the_usual_form_is_read_and_equals_what_the_decoder_says(payload: bytes) -> None:
    assert quickly(payload) == decode(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"{}", b"[]", b"17",
        wire.depth(1, 2, 0), wire.snapshot(1, [], []), wire.kline(), wire.aggregate_trade("1.0", "1"),
        TICKER + b" ", TICKER + b"}", TICKER[:-1], b" " + TICKER,
        wire.ticker(1, "0", "1.0"), wire.ticker(1, "-1.0", "1.0"), wire.ticker(1, "1.0", "nan"),
        wire.trade("0.0", "0.0"), wire.trade("1.0", "-1"), wire.trade("1.0", "1", execution="NA"),
        TICKER.replace(b"BTCUSDT", b"ETHUSDT"), TICKER.replace(b'"u":5123107839020', b'"u":"5"'),
        TICKER.replace(b'"u":5', b'"u":05'), TICKER.replace(b'"u":5', b'"u":-5'), TICKER.replace(b'"u":5', b'"u":5.'),
        TICKER.replace(b'"u":5123107839020', b'"u":5123107839020123456'),
        TICKER.replace(b'"T":1', b'"b":"1.0"'), TICKER.replace(b'"T":1', b'"b":1.0'),
        TICKER.replace(b'"T":1', b'"T":[1]'), TICKER.replace(b'"T":1', b'"T":null'),
        TRADE.replace(b'"X":"MARKET"', b'"X":1'), TRADE.replace(b'"m":true', b'"m":1'),
        TRADE.replace(b'"T":1', b'"\\u0054":1'), TRADE.replace(b'"T":1', b'"T":"\xff"'),
    ],
)
def test_anything_else_is_declined(payload: bytes) -> None:
    assert quickly(payload) is None


SOURCES = st.sampled_from([TICKER, TRADE, BARE_TICKER, BARE_TRADE])
PIECES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b'"', b",", b"{", b"}", b"0", b"1.5", b"true", b"null", b'"b":"1.0",', b'"m":false,', b'"u":7,',
                     b'"e":"trade",', b'"x":"y",', b'"X":"NA",', b"\\", b" ", b"-", b"e5"]),
)


@settings(max_examples=500)
@given(SOURCES, st.data())
def test_a_damaged_frame_is_declined_or_read_as_the_decoder_reads_it(payload: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 2))):
        start = data.draw(st.integers(0, len(payload)))
        end = min(len(payload), start + data.draw(st.integers(0, 12)))
        payload = payload[:start] + data.draw(PIECES) + payload[end:]
    event = quickly(payload)
    if event is not None:
        expected = decode(payload)
        assert not isinstance(expected, Rejection), expected
        assert event == expected


@given(st.permutations(["e", "u", "s", "b", "B", "a", "A", "T", "E", "ps"]))
def test_fields_may_come_in_any_order(order: list[str]) -> None:
    fields = {"e": "bookTicker", "u": 9, "s": "BTCUSDT", "b": "1.5", "B": "2", "a": "1.6", "A": "3", "T": 1, "E": 1,
              "ps": "BTCUSD"}
    payload = wire.dumps({key: fields[key] for key in order}, "x")
    assert quickly(payload) == decode(payload) == BookTicker("BTCUSDT", 9, 1.5, 2.0, 1.6, 3.0)


@pytest.mark.parametrize("name", ["bookTicker", "trade"])
def test_a_field_that_is_missing_makes_the_frame_declined(name: str) -> None:
    fields = {"e": name, "u": 9, "s": "BTCUSDT", "b": "1", "B": "2", "a": "1", "A": "3", "p": "1", "q": "1", "m": True}
    assert quickly(wire.dumps(fields)) is not None
    for key in {"bookTicker": "eusbBaA", "trade": "espqm"}[name]:
        assert quickly(wire.dumps({field: value for field, value in fields.items() if field != key})) is None
