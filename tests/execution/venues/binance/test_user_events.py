"""The user stream's messages as the venue's events; nothing that a stranger may send stops the stream."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain import Fill
from execution.venues.binance.translation import told
from execution.venues.binance.user_events import UserEventKind, exchange_made, read_user_event
from execution.venues.interface import VenueEvent, VenueEventKind
from sluice.errors import InputError
from tests.execution.venues.binance.messages import order_update, trade

MS = 1_000_000
AT_NS = 1_700_000_000_123 * MS


def event_of(payload: bytes) -> VenueEvent | None:
    return told(read_user_event(payload), "USDT")


@pytest.mark.parametrize(("execution", "status", "kind"), [
    ("NEW", "NEW", VenueEventKind.ACCEPTED), ("CANCELED", "CANCELED", VenueEventKind.CANCELED),
    ("EXPIRED", "EXPIRED", VenueEventKind.EXPIRED), ("EXPIRED", "EXPIRED_IN_MATCH", VenueEventKind.EXPIRED),
    ("REJECTED", "REJECTED", VenueEventKind.REJECTED)])
def test_word_about_an_order(execution: str, status: str, kind: VenueEventKind) -> None:
    found = event_of(order_update(x=execution, X=status, er="2"))
    message = "what was not filled at once has expired" if kind is VenueEventKind.EXPIRED else ""
    assert found == VenueEvent(kind, "sl1", AT_NS, "8886774", message)


def test_a_trade_is_a_fill_with_its_fee() -> None:
    found = event_of(trade(77, "0.004", "0.004"))
    fill = Fill("77", Decimal("0.004"), Decimal("60000.1"), Decimal("0.12000020"), "USDT", maker=True)
    assert found == VenueEvent(VenueEventKind.FILL, "sl1", AT_NS, "8886774", fill=fill)


def test_a_trade_without_a_fee_was_free() -> None:
    payload = json.loads(trade(77, "0.004", "0.004"))
    del payload["o"]["n"], payload["o"]["N"]
    found = event_of(json.dumps(payload).encode())
    assert found is not None
    assert found.fill is not None
    assert (found.fill.fee, found.fill.fee_asset) == (Decimal(0), "USDT")


def test_an_amendment_and_a_liquidation_in_progress_say_nothing() -> None:
    assert event_of(order_update(x="AMENDMENT")) is None
    assert event_of(order_update(x="CALCULATED")) is None


def test_combined_streams_wrap_the_same_message() -> None:
    wrapped = b'{"stream":"key","data":' + trade(77, "0.004", "0.004") + b"}"
    assert event_of(wrapped) == event_of(trade(77, "0.004", "0.004"))


@pytest.mark.parametrize("client_order_id", [
    "autoclose-1700", "adl_autoclose", "settlement_autoclose-1", "delivery_autoclose-1"])
def test_the_exchanges_own_orders_are_recognised(client_order_id: str) -> None:
    assert exchange_made(client_order_id)


def test_other_messages_are_told_apart() -> None:
    kinds = {name: read_user_event(json.dumps({"e": name, "E": 1, "future": [1]}).encode()).kind
             for name in ("ACCOUNT_UPDATE", "TRADE_LITE", "listenKeyExpired", "MARGIN_CALL", "SOMETHING_NEW",
                          "ACCOUNT_CONFIG_UPDATE")}
    assert kinds == {"ACCOUNT_UPDATE": UserEventKind.ACCOUNT, "TRADE_LITE": UserEventKind.OTHER,
                     "listenKeyExpired": UserEventKind.KEY_EXPIRED, "MARGIN_CALL": UserEventKind.MARGIN_CALL,
                     "SOMETHING_NEW": UserEventKind.OTHER, "ACCOUNT_CONFIG_UPDATE": UserEventKind.SETTINGS}


def test_a_conditional_orders_update_is_read() -> None:
    update = {"caid": "sl1", "aid": 5, "s": "BTCUSDT", "X": "TRIGGERED", "ai": "12", "at": "CONDITIONAL"}
    event = read_user_event(json.dumps({"e": "ALGO_UPDATE", "E": 1, "o": update}).encode())
    assert event.conditional is not None
    assert (event.conditional.status, event.conditional.order_id) == ("TRIGGERED", "12")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@given(st.sampled_from(["x", "X", "t", "l", "z", "L", "n", "N", "T", "c", "i", "er"]), JSON)
def test_a_spoilt_field_is_read_or_refused_and_nothing_else(name: str, value: Any) -> None:
    try:
        event_of(trade(77, "0.004", "0.004", **{name: value}))
    except InputError:
        return


@given(st.binary(max_size=80))
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(InputError):
        read_user_event(payload)
