"""The plan of faults, and faults of user events."""

from collections.abc import Callable

import pytest

from backtest.exchange.core.domain import Product, UserEvent
from backtest.exchange.serving.event_faults import PlannedEventFaults
from backtest.exchange.serving.faults import AFTER, BEFORE, MEANINGS, Fault, FaultKind, FaultPlan, error_of
from backtest.exchange.serving.stream_faults import PlannedStreamFaults


def test_a_fault_skips_happens_and_is_gone() -> None:
    plan = FaultPlan()
    plan.add(Fault(FaultKind.DROP, operation="POST order", times=2, skip=1))
    struck = [plan.take(BEFORE, operation="POST order") is not None for _ in range(5)]
    assert struck == [False, True, True, False, False]
    assert not list(plan)
    assert plan.happened == 2


def test_a_fault_waits_for_what_it_fits() -> None:
    plan = FaultPlan()
    plan.add(Fault(FaultKind.UNKNOWN_EXECUTED, operation="POST", symbol="BTCUSDT", account="main"))
    assert plan.take(BEFORE, operation="POST order", symbol="BTCUSDT", account="main") is None
    assert plan.take(AFTER, operation="GET order", symbol="BTCUSDT", account="main") is None
    assert plan.take(AFTER, operation="POST order", symbol="ETHUSDT", account="main") is None
    assert plan.take(AFTER, operation="POST order", symbol="BTCUSDT", account="other") is None
    assert plan.take(AFTER, operation="POST order", symbol="BTCUSDT", account="main") is not None


def test_a_fault_without_an_end_stays_until_it_is_taken_back() -> None:
    plan = FaultPlan()
    plan.add(Fault(FaultKind.CLOCK_OFFSET, milliseconds=-1500, times=0))
    assert plan.clock_offset_ms() == -1500
    plan.clear()
    assert plan.clock_offset_ms() == 0


@pytest.mark.parametrize(("kind", "status", "code", "words"), [
    (FaultKind.UNKNOWN_EXECUTED, 503, -1000, "Unknown error, please check your request or try again later."),
    (FaultKind.UNKNOWN_NOT_EXECUTED, 503, -1000, "Unknown error, please check your request or try again later."),
    (FaultKind.SERVICE_UNAVAILABLE, 503, -1000, "Service Unavailable."),
    (FaultKind.INTERNAL_ERROR, 503, -1001, "Internal error; unable to process your request. Please try again."),
    (FaultKind.TIMEOUT_EXECUTED, 408, -1007, "execution status unknown"),
    (FaultKind.BANNED, 418, -1003, "banned until 61000"),
])
def test_each_answer_has_the_venues_status_code_and_text(kind: FaultKind, status: int, code: int, words: str) -> None:
    error = error_of(Fault(kind, milliseconds=60_000), 1_000)
    assert (error.status, error.code) == (status, code)
    assert words in error.message


@pytest.fixture
def events() -> list[UserEvent]:
    kinds = ("TRADE_LITE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE")
    return [UserEvent("main", Product.USDM, 1, kind, {"e": kind}) for kind in kinds]


@pytest.mark.parametrize(("kind", "order"), [
    (FaultKind.DUPLICATE_USER_EVENTS, [0, 0, 1, 2]),
    (FaultKind.DROP_USER_EVENTS, [1, 2]),
    (FaultKind.REORDER_USER_EVENTS, [1, 0, 2]),
    (FaultKind.DELAY_USER_EVENTS, [1, 2, 0]),
])
def test_user_events_are_doubled_lost_swapped_or_late(
    kind: FaultKind, order: list[int], events: list[UserEvent],
) -> None:
    plan, late = FaultPlan(), list[Callable[[], UserEvent | None]]()
    plan.add(Fault(kind, event="TRADE_LITE", milliseconds=5))
    faults = PlannedEventFaults(plan, lambda _milliseconds, due: late.append(due))
    sent = [sent for event in events for sent in faults.deliveries(event)]
    assert [events.index(event) for event in [*sent, *filter(None, (due() for due in late))]] == order


def test_a_swapped_event_that_none_follows_comes_after_a_while(events: list[UserEvent]) -> None:
    plan, late = FaultPlan(), list[tuple[int, Callable[[], UserEvent | None]]]()
    plan.add(Fault(FaultKind.REORDER_USER_EVENTS))
    faults = PlannedEventFaults(plan, lambda milliseconds, due: late.append((milliseconds, due)))
    assert faults.deliveries(events[0]) == []
    ((milliseconds, due),) = late
    assert (milliseconds, due(), due()) == (1_000, events[0], None)
    assert faults.deliveries(events[1]) == [events[1]]


def test_a_wrong_pu_is_one_messages() -> None:
    plan = FaultPlan()
    plan.add(Fault(FaultKind.DEPTH_WRONG_PU, symbol="BTCUSDT"))
    faults, data = PlannedStreamFaults(plan), b'{"e":"depthUpdate","U":4,"u":6,"pu":3,"b":[]}'
    sent = [faults.spoiled(symbol, data) for symbol in ("ETHUSDT", "BTCUSDT", "BTCUSDT")]
    assert sent == [data, data.replace(b'"pu":3', b'"pu":10'), data]


def test_every_kind_of_fault_is_explained() -> None:
    assert set(MEANINGS) == set(FaultKind)
