"""The ledger: reports without holes, one use of each decision and nonce, and a rebuild that equals the original."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.ledger import Draft, JournalledOrder, Ledger, NewOrder, ReportTimes
from execution.state_machine import Occurrence
from sluice.envelope import client_order_id
from sluice.errors import InputError, InvariantError, NotFoundError
from sluice.orders import OrderStatus, ReportKind, Side
from tests.execution.builders import a_request, filled, told

EXPIRES_NS = 9_000


def new(number: int) -> NewOrder:
    return NewOrder(f"d-{number}", bytes([number]) * 16, b"order", EXPIRES_NS)


def with_order(ledger: Ledger, number: int, at: int = 100, quantity: str = "10", side: Side = Side.BUY) -> str:
    draft = Draft(ledger)
    request = replace(a_request(f"d-{number}", quantity), side=side)
    draft.submit(request, new(number), at)
    ledger.commit(draft)
    return request.client_order_id


def test_several_facts_of_one_draft_build_on_each_other() -> None:
    ledger = Ledger()
    identity = with_order(ledger, 1, quantity="2")
    draft = Draft(ledger)
    assert draft.occur(identity, told(ReportKind.ACCEPTED))
    assert draft.occur(identity, filled("t1"))
    assert not draft.occur(identity, filled("t1"))
    assert draft.occur(identity, filled("t2"))
    assert ledger.require(identity).status is OrderStatus.PENDING
    ledger.commit(draft)
    assert ledger.require(identity).status is OrderStatus.FILLED
    assert [report.sequence for report in draft.reports] == [2, 3, 4]
    assert ledger.last_sequence == ledger.require(identity).report_sequence == 4


def test_a_draft_that_is_not_the_next_one_is_a_bug() -> None:
    ledger = Ledger()
    identity = with_order(ledger, 1)
    late = Draft(ledger)
    late.occur(identity, told(ReportKind.ACCEPTED))
    with_order(ledger, 2)
    with pytest.raises(InvariantError, match="must be 3"):
        ledger.commit(late)


def test_an_order_is_found_by_each_of_its_names() -> None:
    ledger = Ledger()
    identity = with_order(ledger, 1)
    order = ledger.require(identity)
    assert ledger.of_decision("d-1") is order
    assert ledger.nonce_used(b"\1" * 16)
    assert not ledger.nonce_used(b"\2" * 16)
    assert ledger.approval_expiry_ns(order) == EXPIRES_NS
    assert ledger.of_decision("") is None
    with pytest.raises(NotFoundError, match="client_order_id"):
        ledger.require("sl-none")


def test_a_decision_is_given_up_once() -> None:
    ledger = Ledger()
    for _ in range(2):
        draft = Draft(ledger)
        draft.not_sent("d-1", "BINANCE_USDM:BTCUSDT", None, "voided", 5)
        ledger.commit(draft)
    assert ledger.never_sent("d-1")
    assert ledger.last_sequence == 1


def test_a_trade_of_two_orders_is_refused() -> None:
    ledger = Ledger()
    first, second = with_order(ledger, 1), with_order(ledger, 2)
    draft = Draft(ledger)
    draft.occur(first, filled("t1"))
    with pytest.raises(InputError, match="one order"):
        draft.occur(second, filled("t1"))
    ledger.commit(draft)
    with pytest.raises(InputError, match="one order"):
        Draft(ledger).occur(second, filled("t1"))


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(-1, 31))
def test_the_last_report_until_a_time_is_the_largest_sequence_of_those_not_after_it(
        times: list[int], asked: int) -> None:
    index = ReportTimes()
    for sequence, time_ns in enumerate(times, start=1):
        index.add(time_ns, sequence)
    expected = max((sequence for sequence, time_ns in enumerate(times, start=1) if time_ns <= asked), default=0)
    assert index.last_until(asked) == expected


@st.composite
def facts(draw: st.DrawFn) -> tuple[int, Occurrence]:
    at = draw(st.integers(100, 200))
    kinds = [ReportKind.ACCEPTED, ReportKind.CANCELED, ReportKind.EXPIRED, ReportKind.REJECTED, ReportKind.UNKNOWN,
             ReportKind.CANCEL_REQUESTED, ReportKind.CANCEL_REJECTED]
    made = st.one_of(
        st.sampled_from(kinds).map(lambda kind: told(kind, at, "why")),
        st.tuples(st.integers(0, 5), st.integers(1, 4)).map(
            lambda pair: filled(f"t{pair[0]}", str(pair[1]), at, "60000.1")))
    return draw(st.integers(1, 3)), draw(made)


@given(st.lists(facts(), max_size=30), st.integers(1, 5))
def test_a_rebuilt_ledger_equals_the_one_that_lived(history: list[tuple[int, Occurrence]], batch: int) -> None:
    lived, reports = Ledger(), []
    for number in (1, 2, 3):
        draft = Draft(lived)
        draft.submit(a_request(f"d-{number}", "10"), new(number), 100 + number)
        lived.commit(draft)
        reports += draft.reports
    for start in range(0, len(history), batch):
        draft = Draft(lived)
        for number, fact in history[start:start + batch]:
            own = fact if fact.fill is None else replace(
                fact, fill=replace(fact.fill, trade_id=f"{number}-{fact.fill.trade_id}"))
            draft.occur(client_order_id(f"d-{number}"), own)
        lived.commit(draft)
        reports += draft.reports
    rebuilt = Ledger()
    rebuilt.restore([JournalledOrder(order.request, new(number), order.venue_order_id, sent=False)
                     for number, order in enumerate(lived.orders(), start=1)], reports)
    assert [report.sequence for report in reports] == list(range(1, len(reports) + 1))
    assert list(rebuilt.orders()) == list(lived.orders())
    assert rebuilt.last_sequence == lived.last_sequence
    assert [rebuilt.sequence_until(at) for at in range(99, 202)] == [lived.sequence_until(at) for at in range(99, 202)]


def test_a_trade_between_two_of_our_orders_is_a_fill_of_both_and_of_no_third() -> None:
    ledger = Ledger()
    bought = with_order(ledger, 1)
    sold = with_order(ledger, 2, side=Side.SELL)
    third = with_order(ledger, 3)
    draft = Draft(ledger)
    assert draft.occur(bought, filled("t1"))
    assert draft.occur(sold, filled("t1"))
    ledger.commit(draft)
    for after in (draft, Draft(ledger)):
        with pytest.raises(InputError, match="one order of a side"):
            after.occur(third, filled("t1"))
        assert not after.occur(sold, filled("t1"))
    assert [ledger.require(identity).filled_quantity for identity in (bought, sold, third)] == [1, 1, 0]
