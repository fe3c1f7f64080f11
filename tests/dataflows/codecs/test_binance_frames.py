import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.codecs import quick_frame as quick
from dataflows.codecs.quick_frame import TAIL_BYTES, join
from dataflows.kernels import cache_root
from tests.dataflows.codecs import wire
from tests.dataflows.codecs.opinions import Opinion, Opinions

OPINIONS = Opinions("BTCUSDT", "0.1")
TICKER = wire.ticker(5123107839020, "61800.20", "61800.30", "2.507", "0")
TRADE = wire.trade("61800.30", "0.006", sold=True)
AGGREGATE = wire.aggregate_trade("83434.4", "16")
MARK = wire.mark_price("58940.14924532")
DEPTH = wire.depth(3, 9, 2, [("61800.20", "2.909"), ("100000.1", "0.000")], [("61800.3", "1234567.125"), ("7", "12")])
EMPTY = wire.depth(3, 3, 2)
USUAL = [TICKER, TRADE, AGGREGATE, MARK, DEPTH, EMPTY]


def bare(payload: bytes) -> bytes:
    return payload[payload.index(b'"data":') + 7 : -1]


def quickly(payload: bytes, opinions: Opinions = OPINIONS) -> Opinion:
    return opinions.quick([payload])[0]


@pytest.mark.parametrize("payload", [*USUAL, *map(bare, USUAL)])
def test_the_usual_form_is_read_and_is_what_the_decoder_says(payload: bytes) -> None:
    assert quickly(payload) == OPINIONS.general(payload) is not None


def test_a_mark_price_may_lack_its_index_rate_and_time_and_its_rate_may_be_negative() -> None:
    for fields in ({}, {"r": "-0.00010000"}, {"i": "0.00000000", "T": 0}, {"i": "1.5", "r": "0.1", "T": 7}):
        payload = wire.dumps({"e": "markPriceUpdate", "E": 5, "s": "BTCUSDT", "p": "1.5", **fields}, "x")
        assert quickly(payload) == OPINIONS.general(payload) is not None
    unfunded = wire.dumps({"e": "markPriceUpdate", "E": 5, "s": "BTCUSDT", "p": "1.5", "r": "", "T": 0}, "x")
    assert quickly(unfunded) is None
    assert OPINIONS.general(unfunded) == (quick.MARK_PRICE, 5, 1.5, "nan", "nan", 0)


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"{}", b"[]", b"17", b'{"stream":"', b'{"stream":"x","data":{', b'{"stream":"x","data":{}}',
        wire.snapshot(1, [], []), wire.kline(), wire.force_order(),
        TICKER + b" ", TICKER + b"}", TICKER[:-1], b" " + TICKER,
        wire.ticker(1, "0", "1.0"), wire.ticker(1, "-1.0", "1.0"), wire.ticker(1, "1.0", "nan"),
        wire.trade("0.0", "0.0"), wire.trade("1.0", "-1"), wire.trade("1.0", "1", execution="NA"),
        wire.mark_price("0.0"), wire.aggregate_trade("0", "1"),
        TICKER.replace(b"BTCUSDT", b"ETHUSDT"), TICKER.replace(b"BTCUSDT", b"BTCUSDTX"),
        TICKER.replace(b'"u":5123107839020', b'"u":"5"'),
        TICKER.replace(b'"u":5', b'"u":05'), TICKER.replace(b'"u":5', b'"u":-5'), TICKER.replace(b'"u":5', b'"u":5.'),
        TICKER.replace(b'"u":5123107839020', b'"u":5123107839020123456'),
        TICKER.replace(b'"T":1', b'"b":"1.0"'), TICKER.replace(b'"T":1', b'"b":1.0'),
        TICKER.replace(b'"T":1', b'"T":[1]'), TICKER.replace(b'"T":1', b'"T":null'),
        TICKER.replace(b'"T":1', b'"":"":""'), TICKER.replace(b'"T":1', b'""":1'),
        TRADE.replace(b'"X":"MARKET"', b'"X":1'), TRADE.replace(b'"m":true', b'"m":1'),
        TRADE.replace(b'"T":1', b'"\\u0054":1'), TRADE.replace(b'"T":1', b'"T":"\xff"'),
        DEPTH.replace(b"@depth@0ms", b"@depth20@100ms"), DEPTH.replace(b"@depth@0ms", b"@rpiDepth@500ms"),
        DEPTH.replace(b"@depth@0ms", b"@depth@depth5"), DEPTH.replace(b'"U":3', b'"U":10'),
        DEPTH.replace(b'"pu":2', b'"pu":-1'), DEPTH.replace(b'"pu":2,', b""), DEPTH.replace(b'"a":', b'"b":'),
        DEPTH.replace(b'"7"', b'"0"'), DEPTH.replace(b'"7"', b'"7.05"'), DEPTH.replace(b'"7"', b'"7.00001"'),
        DEPTH.replace(b'"7"', b'"07"'), DEPTH.replace(b'"7"', b"7"), DEPTH.replace(b'"7"', b'"7e1"'),
        DEPTH.replace(b'"12"', b'"-12"'), DEPTH.replace(b'"12"', b'"1234567890123456"'),
        DEPTH.replace(b'"12"', b'"12."'), DEPTH.replace(b'"12"', b'".5"'), DEPTH.replace(b'"12"', b'"1.2.3"'),
        DEPTH.replace(b'"12"', b'"12345678."'), DEPTH.replace(b'"12"', b'"1234567."'), DEPTH.replace(b'"12"', b'""'),
        DEPTH.replace(b'"12"', b'"12","1"'), DEPTH.replace(b'["7","12"]', b'["7"]'), DEPTH.replace(b"]]}}", b"],]}}"),
    ],
)
def test_anything_else_is_declined(payload: bytes) -> None:
    assert quickly(payload) is None


def test_asks_before_bids_are_declined() -> None:
    fields = {"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2, "pu": 0}
    levels = [["1.0", "1"]]
    assert quickly(wire.dumps({**fields, "b": levels, "a": levels})) is not None
    assert quickly(wire.dumps({**fields, "a": levels, "b": levels})) is None


def test_a_frame_with_more_levels_than_there_is_room_for_is_declined() -> None:
    rows = [(f"{price}.5", "1") for price in range(1, 40)]
    payload = wire.depth(3, 9, 2, rows, rows)
    short = [(f"{price}", "1") for price in range(1, 9)]
    assert quickly(payload) is not None
    buffer, starts, ends = join([payload])
    assert OPINIONS.read(buffer, starts, ends, room=len(rows) * 2) == [quickly(payload)]
    assert OPINIONS.read(buffer, starts, ends, room=len(rows) * 2 - 1) == [None]
    assert OPINIONS.read(*join([wire.depth(3, 9, 2, short)]), room=0) == [None]


@pytest.mark.parametrize(("start", "end"), [(-1, 10), (5, 4), (0, 10**9), (0, -1), (10**9, 10**9 + 1), (0, 400)])
def test_a_place_outside_the_buffer_is_declined(start: int, end: int) -> None:
    buffer, _, _ = join([TICKER])
    assert OPINIONS.read(buffer, np.array([start]), np.array([end])) == [None]


def test_a_frame_without_an_end_or_a_tail_behind_it_is_declined() -> None:
    frame, size = np.array([0]), np.array([len(TICKER)])
    tails = {b"\n" + bytes(TAIL_BYTES): True, bytes(TAIL_BYTES): True, b" " * 99: False, b"\n": False}
    for tail, read in tails.items():
        buffer = np.frombuffer(TICKER + tail, np.uint8)
        assert (OPINIONS.read(buffer, frame, size) != [None]) is read


NUMBERS = st.one_of(
    st.builds("{}.{}".format, st.integers(0, 10**10), st.text("0123456789", min_size=1, max_size=12)),
    st.integers(0, 10**18).map(str), st.text("0123456789.", max_size=18),
)


@settings(max_examples=300)
@given(NUMBERS, NUMBERS, st.sampled_from(["0.1", "0.01", "0.00001", "0.05", "0.25", "10", "1", "1e-9", "0.0375"]))
def test_prices_become_ticks_and_quantities_floats_as_by_the_general_way(
    price: str, quantity: str, tick_size: str,
) -> None:
    opinions = Opinions("BTCUSDT", tick_size)
    payload = wire.depth(3, 9, 2, [(price, quantity)], [(quantity, price)])
    opinion = quickly(payload, opinions)
    assert opinion is None or opinion == opinions.general(payload)


@given(st.integers(1, 2**39), st.sampled_from(["0.1", "0.01", "0.00001", "0.05", "0.25", "10", "0.5"]))
def test_every_multiple_of_the_tick_of_fifteen_digits_is_read(ticks: int, tick_size: str) -> None:
    opinions = Opinions("BTCUSDT", tick_size)
    numerator, denominator = (int(value) for value in (opinions.numerator, opinions.denominator))
    scaled = ticks * numerator * 100_000 // denominator
    price = f"{scaled // 100_000}.{scaled % 100_000:05}"
    payload = wire.depth(3, 9, 2, [(price, "1")])
    if len(price) <= 16:
        assert quickly(payload, opinions) == opinions.general(payload) is not None


PIECES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b'"', b",", b"{", b"}", b"[", b"]", b"0", b"1.5", b"true", b"null", b'"b":"1.0",', b'"m":false,',
                     b'"u":7,', b'"e":"trade",', b'"e":"depthUpdate",', b'"x":"y",', b'"X":"NA",', b"\\", b" ", b"-",
                     b"e5", b'["1.0","2"],', b'"b":[],', b'"a":[["1","1"]],', b'"pu":1,', b'"E":null,', b'"r":"-1",',
                     b"\xc3\xa9", b"9" * 20, b"[" * 40, b'"i":"",', b"@depth5@", b'"st":1,']),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a frame of which bytes were lost, changed, moved or repeated."""
    payload = draw(st.sampled_from([*USUAL, *map(bare, USUAL)]))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(payload)))
        end = min(len(payload), start + draw(st.integers(0, 12)))
        piece = draw(st.one_of(PIECES, st.just(payload[start:end] * 2)))
        payload = payload[:start] + piece + payload[end:]
    return payload


@settings(max_examples=600)
@given(damaged())
def test_a_damaged_frame_is_declined_or_read_as_the_decoder_reads_it(payload: bytes) -> None:
    opinion = quickly(payload)
    assert opinion is None or opinion == OPINIONS.general(payload)


@given(st.lists(damaged(), min_size=1, max_size=5))
def test_what_lies_beside_a_frame_changes_nothing(payloads: list[bytes]) -> None:
    assert OPINIONS.quick(payloads) == [quickly(payload) for payload in payloads]


def test_no_index_is_ever_out_of_bounds() -> None:
    folder = cache_root(os.environ) / "bounds-checked"
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.dataflows.codecs.bounds"], env=environment, check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()


@given(st.permutations(["e", "u", "s", "b", "B", "a", "A", "T", "E", "ps", "st", "nq"]))
def test_fields_may_come_in_any_order(order: list[str]) -> None:
    fields = {"e": "bookTicker", "u": 9, "s": "BTCUSDT", "b": "1.5", "B": "2", "a": "1.6", "A": "3", "T": 1, "E": 1,
              "ps": "BTCUSD", "st": 1, "nq": "0.5"}
    payload = wire.dumps({key: fields[key] for key in order}, "x")
    assert quickly(payload) == (quick.BOOK_TICKER, 1, 1, 9, 1.5, 2.0, 1.6, 3.0)


@pytest.mark.parametrize(
    ("name", "needed"),
    [("bookTicker", "e u s b B a A"), ("trade", "e s p q m"), ("aggTrade", "e s p q m"),
     ("markPriceUpdate", "e s p"), ("depthUpdate", "e s U u pu b a")],
)
def test_a_field_that_is_missing_makes_the_frame_declined(name: str, needed: str) -> None:
    side: object = [] if name == "depthUpdate" else "1"
    values = {"e": name, "b": side, "a": side,
              "u": 9, "U": 8, "pu": 7, "s": "BTCUSDT", "B": "2", "A": "3", "p": "1", "q": "1", "m": True}
    fields = {key: values[key] for key in needed.split()}
    assert quickly(wire.dumps(fields)) is not None
    for missing in fields:
        assert quickly(wire.dumps({key: value for key, value in fields.items() if key != missing})) is None
