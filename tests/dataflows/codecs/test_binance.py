import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.codecs.binance import Rejection, decode, symbol_of, unroutable
from dataflows.codecs.binance_events import (
    AggregateTrade,
    BookTicker,
    DepthSnapshot,
    DepthUpdate,
    ForceOrder,
    Kline,
    MarkPrice,
    OpenInterest,
    Trade,
)
from dataflows.deadletters import DeadLetterReason as Reason
from tests.dataflows.codecs import wire

GOOD = {
    BookTicker: wire.ticker(7, "1.0", "1.1"),
    Trade: wire.trade("1.0", "2"),
    AggregateTrade: wire.aggregate_trade("1.0", "2"),
    MarkPrice: wire.mark_price("1.0"),
    Kline: wire.kline(),
    ForceOrder: wire.force_order(),
    OpenInterest: wire.open_interest(),
    DepthUpdate: wire.depth(1, 2, 0, [("1.0", "1")], [("1.1", "0")]),
    DepthSnapshot: wire.snapshot(5, [("1.0", "1")], [("1.1", "2")]),
}


def bare(payload: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(payload)
    inner: dict[str, Any] = document.get("data", document)
    return inner


def changed(payload: bytes, **fields: object) -> bytes:
    return wire.dumps({**bare(payload), **fields})


def without(payload: bytes, field: str) -> bytes:
    return wire.dumps({key: value for key, value in bare(payload).items() if key != field})


@pytest.mark.parametrize(("kind", "payload"), GOOD.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_event_is_the_same_in_the_envelope_bare_spaced_and_with_fields_that_are_not_known(
    kind: type, payload: bytes,
) -> None:
    inner = bare(payload)
    forms = [
        payload,
        wire.dumps(inner),
        wire.dumps(inner, "x@y"),
        json.dumps({"stream": "x@y", "data": inner}, indent=1).encode(),
        wire.dumps({"data": inner, "stream": "x@y"}),
        wire.dumps({**inner, "nq": "0.5", "st": 1, "new": {"e": "z"}}),
        wire.dumps(dict(reversed(inner.items()))),
    ]
    for form in forms:
        event = decode(form)
        assert type(event) is kind, event
        assert repr(event) == repr(decode(payload))


def test_values_are_those_of_the_frame() -> None:
    event = decode(wire.depth(3, 9, 2, [("61800.20", "2.909"), ("58710.2", "0.000")], [("61800.30", "2")]))
    assert isinstance(event, DepthUpdate)
    assert (event.symbol, event.first_update_id, event.last_update_id, event.previous_update_id) == ("BTCUSDT", 3, 9, 2)
    assert event.bids.tolist() == [[61800.2, 2.909], [58710.2, 0.0]]
    assert event.asks.tolist() == [[61800.3, 2.0]]


def test_times_and_ids_are_those_of_the_frame() -> None:
    trade = decode(changed(GOOD[Trade], t=5266583935, T=11, E=12))
    assert isinstance(trade, Trade)
    assert (trade.trade_id, trade.transaction_time_ms, trade.event_time_ms) == (5266583935, 11, 12)
    aggregate = decode(changed(GOOD[AggregateTrade], a=3, f=4, l=5))
    assert isinstance(aggregate, AggregateTrade)
    assert (aggregate.aggregate_id, aggregate.first_trade_id, aggregate.last_trade_id) == (3, 4, 5)
    for kind in (BookTicker, DepthUpdate, DepthSnapshot):
        event = decode(changed(GOOD[kind], T=11, E=12))
        assert isinstance(event, kind)
        assert (event.transaction_time_ms, event.event_time_ms) == (11, 12)
        assert decode(without(GOOD[kind], "E")).event_time_ms == 0  # type: ignore[union-attr]  # never a rejection


@pytest.mark.parametrize(
    ("fields", "index", "rate", "time_ms"),
    [
        ({"i": "58857.26", "r": "-0.00058455", "T": 7}, 58857.26, -0.00058455, 7),
        ({"i": 1.5, "r": 0, "T": 7}, 1.5, 0.0, 7),
        ({"i": "1.5", "r": "0.00000000"}, 1.5, 0.0, 2),
        ({"i": "0.00000000", "r": "", "T": 0}, math.nan, math.nan, 0),
        ({"i": None, "r": None, "T": 0}, math.nan, math.nan, 0),
        ({"i": "inf", "r": "none"}, math.nan, math.nan, 2),
    ],
)
def test_what_a_mark_price_does_not_say_is_not_a_number(
    fields: dict[str, Any], index: float, rate: float, time_ms: int,
) -> None:
    event = decode(changed(GOOD[MarkPrice], **fields))
    assert isinstance(event, MarkPrice)
    found = (event.index_price, event.funding_rate, event.next_funding_time_ms)
    assert str(found) == str((index, rate, time_ms))


def test_a_liquidation_tells_its_side_and_what_was_filled_at_what_price() -> None:
    fields = {"s": "ILVUSDT", "S": "SELL", "q": "116.5", "p": "3.80300", "ap": "3.85642", "z": "116.5", "T": 9}
    event = decode(wire.dumps({"e": "forceOrder", "E": 12, "o": fields}))
    assert isinstance(event, ForceOrder)
    order = event.order
    assert (order.side, order.average_price, order.filled_quantity, order.transaction_time_ms, event.event_time_ms) == (
        "SELL", 3.85642, 116.5, 9, 12)
    short = decode(wire.dumps({"e": "forceOrder", "o": {key: fields[key] for key in "sSqp"}}))
    assert isinstance(short, ForceOrder)
    assert math.isnan(short.order.average_price)
    assert math.isnan(short.order.filled_quantity)


@pytest.mark.parametrize("fields", [{}, {"pair": "BTCUSD", "contractType": "PERPETUAL"}])
def test_open_interest_of_either_product_is_an_event(fields: dict[str, str]) -> None:
    assert decode(wire.open_interest("84617.188", **fields)) == OpenInterest("BTCUSDT", 84617.188, 3)


@pytest.mark.parametrize(
    ("payload", "reason", "words"),
    [
        (b"", Reason.MALFORMED_JSON, "JSON"),
        (b'{"e":"trade"', Reason.MALFORMED_JSON, "JSON"),
        (b"\xff\xfe\x00", Reason.MALFORMED_JSON, "JSON"),
        (b"[" * 100_000, Reason.MALFORMED_JSON, "JSON"),
        (b"[1,2]", Reason.UNKNOWN_EVENT, "one known event"),
        (b"17", Reason.UNKNOWN_EVENT, "one known event"),
        (b'{"result":null,"id":1}', Reason.UNKNOWN_EVENT, "None"),
        (wire.dumps({"e": "24hrTicker", "s": "BTCUSDT"}), Reason.UNKNOWN_EVENT, "24hrTicker"),
        (wire.dumps({"e": 5, "s": "BTCUSDT"}), Reason.UNKNOWN_EVENT, "5"),
        (wire.dumps(bare(GOOD[DepthUpdate]), "btcusdt@depth20@100ms"), Reason.UNKNOWN_EVENT, "depth20"),
        (wire.dumps(bare(GOOD[DepthUpdate]), "btcusdt@rpiDepth@500ms"), Reason.UNKNOWN_EVENT, "rpiDepth"),
        (without(GOOD[Trade], "p"), Reason.MALFORMED_EVENT, "`p`"),
        (without(GOOD[BookTicker], "u"), Reason.MALFORMED_EVENT, "`u`"),
        (without(GOOD[DepthUpdate], "pu"), Reason.MALFORMED_EVENT, "`pu`"),
        (without(GOOD[DepthSnapshot], "asks"), Reason.MALFORMED_EVENT, "`asks`"),
        (changed(GOOD[Trade], p="1.0x"), Reason.MALFORMED_EVENT, "$.p"),
        (changed(GOOD[Trade], p=None), Reason.MALFORMED_EVENT, "$.p"),
        (changed(GOOD[Trade], m="maybe"), Reason.MALFORMED_EVENT, "$.m"),
        (changed(GOOD[BookTicker], u=-1), Reason.MALFORMED_EVENT, "$.u"),
        (changed(GOOD[DepthUpdate], u=2**63), Reason.MALFORMED_EVENT, "$.u"),
        (changed(GOOD[DepthUpdate], U=9), Reason.MALFORMED_EVENT, "U must be at most u"),
        (changed(GOOD[DepthUpdate], b=[["1.0"]]), Reason.MALFORMED_EVENT, "length"),
        (changed(GOOD[DepthUpdate], a="none"), Reason.MALFORMED_EVENT, "array"),
        (changed(GOOD[Trade], p="0", q="0"), Reason.INVALID_PRICE, "was 0.0"),
        (changed(GOOD[Trade], p="-1"), Reason.INVALID_PRICE, "was -1.0"),
        (changed(GOOD[Trade], p="inf"), Reason.INVALID_PRICE, "was inf"),
        (changed(GOOD[Trade], p="nan"), Reason.INVALID_PRICE, "was nan"),
        (changed(GOOD[AggregateTrade], p="-1"), Reason.INVALID_PRICE, "was -1.0"),
        (changed(GOOD[MarkPrice], p="0"), Reason.INVALID_PRICE, "was 0.0"),
        (changed(GOOD[BookTicker], a="0"), Reason.INVALID_PRICE, "was 0.0"),
        (wire.force_order("0"), Reason.INVALID_PRICE, "was 0.0"),
        (changed(GOOD[DepthUpdate], b=[["1.0", "1"], ["-0.9", "1"]]), Reason.INVALID_PRICE, "was -0.9"),
        (changed(GOOD[DepthSnapshot], asks=[["0.0", "1"]]), Reason.INVALID_PRICE, "was 0.0"),
        (changed(GOOD[Trade], q="-2"), Reason.INVALID_QUANTITY, "was -2.0"),
        (changed(GOOD[BookTicker], B="-2"), Reason.INVALID_QUANTITY, "was -2.0"),
        (changed(GOOD[BookTicker], A="nan"), Reason.INVALID_QUANTITY, "was nan"),
        (changed(GOOD[DepthUpdate], a=[["1.1", "-1"]]), Reason.INVALID_QUANTITY, "was -1.0"),
        (wire.kline("-1"), Reason.INVALID_QUANTITY, "was -1.0"),
        (wire.open_interest("-1"), Reason.INVALID_QUANTITY, "was -1.0"),
        (wire.open_interest("inf"), Reason.INVALID_QUANTITY, "was inf"),
        (wire.open_interest("much"), Reason.MALFORMED_EVENT, "openInterest"),
        (changed(GOOD[OpenInterest], time=-1), Reason.MALFORMED_EVENT, "$.time"),
        *((changed(GOOD[kind], **{name: 2**62 + 1}), Reason.MALFORMED_EVENT, f"$.{name}")
          for kind, name in [(Trade, "t"), (Trade, "T"), (Trade, "E"), (AggregateTrade, "a"), (AggregateTrade, "l"),
                             (BookTicker, "T"), (DepthUpdate, "E"), (MarkPrice, "T"), (DepthSnapshot, "T")]),
    ],
)
def test_a_frame_is_rejected_with_its_reason_when_it_cannot_be_used(
    payload: bytes, reason: Reason, words: str,
) -> None:
    rejection = decode(payload)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.reason is reason
    assert words in rejection.message


@given(st.binary(max_size=200))
def test_decoding_and_routing_raise_nothing_on_arbitrary_bytes(payload: bytes) -> None:
    decode(payload)
    symbol = symbol_of(payload, "X")
    assert symbol is None or isinstance(symbol, str)
    assert isinstance(unroutable(payload), Rejection)


@given(st.sampled_from(list(GOOD.values())), st.data())
def test_decoding_raises_nothing_when_bytes_of_a_good_frame_are_lost_or_changed(
    payload: bytes, data: st.DataObject,
) -> None:
    start = data.draw(st.integers(0, len(payload)))
    end = data.draw(st.integers(start, len(payload)))
    damaged = payload[:start] + data.draw(st.binary(max_size=4)) + payload[end:]
    decode(damaged)
    symbol_of(damaged)
    unroutable(damaged)


@pytest.mark.parametrize(("kind", "payload"), GOOD.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_frame_is_routed_by_its_symbol(kind: type, payload: bytes) -> None:
    expected = "HINTED" if kind is DepthSnapshot else "BTCUSDT"
    spaced = json.dumps(json.loads(payload)).encode()
    assert symbol_of(payload, "HINTED") == symbol_of(spaced, "HINTED") == expected


def test_a_coin_margined_frame_is_routed_by_its_symbol_and_not_by_its_pair() -> None:
    inner = {"e": "depthUpdate", "ps": "BTCUSD", "s": "BTCUSD_PERP"}
    assert symbol_of(wire.dumps(inner)) == "BTCUSD_PERP"
    assert symbol_of(wire.snapshot(1, [], [], symbol="BTCUSD_PERP", pair="BTCUSD"), "OTHER") == "BTCUSD_PERP"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (GOOD[DepthSnapshot], Reason.UNATTRIBUTED_SNAPSHOT),
        (b"{", Reason.MALFORMED_JSON),
        (b'{"result":null,"id":1}', Reason.UNKNOWN_EVENT),
        (b"[]", Reason.UNKNOWN_EVENT),
        (b'{"e":["trade"]}', Reason.UNKNOWN_EVENT),
        (without(GOOD[Trade], "s"), Reason.MALFORMED_EVENT),
        (without(GOOD[OpenInterest], "symbol"), Reason.MALFORMED_EVENT),
    ],
)
def test_a_frame_without_a_symbol_says_why_it_belongs_to_no_instrument(payload: bytes, reason: Reason) -> None:
    assert symbol_of(payload) is None
    assert unroutable(payload).reason is reason
