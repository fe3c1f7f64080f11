"""Symbols found in a buffer of frames are those that routing finds in each frame, or are left to it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.codecs.binance import symbol_of
from dataflows.codecs.quick_frame import join
from dataflows.codecs.symbols import UNFOUND, find_symbols
from tests.dataflows.codecs import wire

SYMBOLS = ["BTCUSDT", "BTCUSD", "ETHUSDT", "S"]


def found_in(payloads: list[bytes], symbols: list[str]) -> list[int]:
    text = np.frombuffer("".join(symbols).encode(), np.uint8)
    found = np.zeros(len(payloads), np.int64)
    find_symbols(*join(payloads), text, np.cumsum([0, *map(len, symbols)])[1:], found)
    return [int(index) for index in found]


def trade_of(symbol: bytes) -> bytes:
    return wire.trade("1.0", "1").replace(b"BTCUSDT", symbol)


def test_each_frame_of_a_known_symbol_has_its_index() -> None:
    payloads = [trade_of(symbol) for symbol in (b"ETHUSDT", b"BTCUSDT", b"S", b"ETHUSDT")]
    assert found_in(payloads, SYMBOLS) == [2, 0, 3, 2]


def test_what_names_no_known_symbol_in_the_usual_form_is_left() -> None:
    payloads = [
        trade_of(b"BTCUSDTX"), b'{"s": "BTCUSDT"}', b'{"symbol":"BTCUSDT"}', b"{}", b'{"s":"BTCUSDT', b"",
        b'{"s":"ADAUSDT","s":"BTCUSDT"}', b's":"BTCUSDT"']
    assert found_in(payloads, SYMBOLS) == [UNFOUND] * len(payloads)
    assert found_in([wire.trade("1.0", "1")], []) == [UNFOUND]


PIECES = st.sampled_from(
    [b'"s":"', b"BTCUSDT", b"BTCUSD", b"ETHUSDT", b"S", b'"', b'"s"', b":", b"s", b"{", b" ", b"\xff"])


@settings(max_examples=300)
@given(st.lists(st.lists(PIECES, max_size=8).map(b"".join), min_size=1, max_size=5))
def test_what_is_found_is_what_routing_says_and_nothing_usual_is_missed(payloads: list[bytes]) -> None:
    for payload, index in zip(payloads, found_in(payloads, SYMBOLS), strict=True):
        named = payload.partition(b'"s":"')[2].partition(b'"')
        if named[1] and named[0].decode("latin1") in SYMBOLS:
            assert SYMBOLS[index] == symbol_of(payload) == named[0].decode()
        else:
            assert index == UNFOUND
