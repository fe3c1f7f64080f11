"""The order state machine: whatever comes late, twice or shuffled, the end is the same and nothing is lost."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain import OrderState
from execution.state_machine import LEGAL, Occurrence, mark_sent, occur
from sluice.errors import InputError
from sluice.orders import OrderStatus, ReportKind
from tests.execution.builders import a_fill, an_order, filled, told

FINAL_WORDS = [ReportKind.CANCELED, ReportKind.REJECTED, ReportKind.EXPIRED]


def after(state: OrderState, *facts: Occurrence) -> OrderState:
    for fact in facts:
        state = occur(state, fact) or state
    return state


def test_an_order_goes_from_pending_to_filled() -> None:
    state, seen = mark_sent(an_order("2")), [OrderStatus.PENDING]
    facts = (told(ReportKind.ACCEPTED), filled("t1"), filled("t2"))
    seen.append(state.status)
    for fact in facts:
        state = after(state, fact)
        seen.append(state.status)
    assert seen == [OrderStatus.PENDING, OrderStatus.SENT, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED,
                    OrderStatus.FILLED]
    assert state.filled_quantity == Decimal(2)
    assert state.fees == Decimal("1.0")


def test_a_fill_counts_once_when_it_is_repeated() -> None:
    state = after(an_order("2"), filled("t1"))
    assert occur(state, filled("t1")) is None
    assert occur(state, filled("t1", at=999)) is None


def test_accepted_changes_nothing_when_it_comes_after_the_fill() -> None:
    state = after(an_order(), filled("t1"), told(ReportKind.ACCEPTED))
    assert state.status is OrderStatus.FILLED


def test_a_late_fill_is_kept_when_the_order_is_cancelled() -> None:
    state = after(an_order("3"), told(ReportKind.CANCELED), filled("t1"))
    assert (state.status, state.filled_quantity) == (OrderStatus.CANCELED, Decimal(1))


def test_late_fills_that_complete_a_cancelled_order_make_it_filled() -> None:
    state = after(an_order("2"), told(ReportKind.CANCELED), filled("t1"), filled("t2"))
    assert state.status is OrderStatus.FILLED


def test_an_overfill_is_kept_apart_and_never_exceeds_the_quantity() -> None:
    state = after(an_order("1.5"), filled("t1"), filled("t2"))
    assert state.filled_quantity == Decimal("1.5")
    assert state.excess_quantity == Decimal("0.5")
    assert state.status is OrderStatus.FILLED


def test_unknown_lasts_until_the_venue_says_something() -> None:
    state = after(mark_sent(an_order()), told(ReportKind.UNKNOWN, message="timeout"))
    assert (state.status, state.message) == (OrderStatus.UNKNOWN, "timeout")
    assert not state.status.final
    assert occur(state, told(ReportKind.UNKNOWN)) is None
    assert after(state, told(ReportKind.CANCEL_REQUESTED)).status is OrderStatus.UNKNOWN
    assert after(state, told(ReportKind.ACCEPTED)).status is OrderStatus.ACCEPTED
    assert after(state, filled()).status is OrderStatus.FILLED


def test_a_repeated_word_ends_the_doubt_about_a_cancel() -> None:
    state = after(an_order(), told(ReportKind.ACCEPTED), told(ReportKind.CANCEL_REQUESTED), told(ReportKind.UNKNOWN))
    assert state.status is OrderStatus.UNKNOWN
    assert after(state, told(ReportKind.ACCEPTED)).status is OrderStatus.CANCEL_PENDING


def test_a_repeated_fill_is_never_reported_again_even_in_doubt() -> None:
    state = after(an_order("2"), filled("t1"), told(ReportKind.UNKNOWN))
    assert occur(state, filled("t1")) is None


def test_a_rejected_cancel_leads_back_to_where_the_order_stood() -> None:
    requested = after(an_order("2"), told(ReportKind.ACCEPTED), told(ReportKind.CANCEL_REQUESTED, 300))
    assert requested.status is OrderStatus.CANCEL_PENDING
    assert after(requested, told(ReportKind.CANCEL_REJECTED, 301)).status is OrderStatus.ACCEPTED
    assert after(requested, filled(), told(ReportKind.CANCEL_REJECTED, 301)).status is OrderStatus.PARTIALLY_FILLED


def test_a_second_cancel_counts_after_the_first_was_rejected() -> None:
    state = after(an_order(), told(ReportKind.CANCEL_REQUESTED, 300), told(ReportKind.CANCEL_REJECTED, 301),
                  told(ReportKind.CANCEL_REQUESTED, 400))
    assert state.status is OrderStatus.CANCEL_PENDING


@pytest.mark.parametrize("final", FINAL_WORDS)
def test_a_final_order_stays_final_whatever_comes_but_a_fill(final: ReportKind) -> None:
    state = after(an_order(), told(final))
    for kind in (ReportKind.ACCEPTED, ReportKind.CANCEL_REQUESTED, ReportKind.CANCEL_REJECTED, ReportKind.UNKNOWN):
        assert after(state, told(kind)).status is state.status


@pytest.mark.parametrize("fact", [
    told(ReportKind.FILL), told(ReportKind.SUBMITTED), told(ReportKind.NOT_SENT), filled(quantity="0"),
    filled(quantity="-1"), filled(price="0"), filled(""),
    Occurrence(ReportKind.ACCEPTED, 1, fill=a_fill())])
def test_a_fact_that_cannot_be_is_refused(fact: Occurrence) -> None:
    with pytest.raises(InputError, match="must"):
        occur(an_order(), fact)


def test_the_average_price_is_harmonic_for_an_inverse_contract() -> None:
    linear = after(an_order("2"), filled("t1", price="50000"), filled("t2", price="100000"))
    inverse = after(an_order("2", inverse=True), filled("t1", price="50000"), filled("t2", price="100000"))
    assert linear.average_price == Decimal(75_000)
    assert inverse.average_price is not None
    assert inverse.average_price.quantize(Decimal("0.001")) == Decimal("66666.667")
    assert an_order().average_price is None


def test_every_status_but_the_final_ones_can_become_unknown() -> None:
    assert all((OrderStatus.UNKNOWN in LEGAL[status]) is not status.final for status in OrderStatus)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Occurrence], list[Occurrence]]:
    """A set of facts that can be true of one order of 10 together, and a shuffled copy of it with repetitions."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=4))
    facts = [filled(f"t{i}", str(size), 200 + i, str(59_000 + 7 * i)) for i, size in enumerate(sizes)]
    facts += draw(st.sampled_from([[], [told(ReportKind.ACCEPTED)]]))
    facts += draw(st.sampled_from([[], *([told(kind, 900, "why")] for kind in FINAL_WORDS)]))
    asked = draw(st.integers(0, 2))
    facts += [told(ReportKind.CANCEL_REQUESTED, 500 + i) for i in range(asked)]
    facts += [told(ReportKind.CANCEL_REJECTED, 600 + i) for i in range(draw(st.integers(0, asked)))]
    repeated = draw(st.lists(st.sampled_from(facts), max_size=6)) if facts else []
    return facts, draw(st.permutations(facts + repeated))


@given(histories())
def test_any_order_and_repetition_of_the_facts_ends_the_same(
        history: tuple[list[Occurrence], list[Occurrence]]) -> None:
    facts, shuffled = history
    assert after(an_order("10"), *facts) == after(an_order("10"), *shuffled)


@given(histories())
def test_quantities_are_conserved_and_every_transition_is_in_the_table(
        history: tuple[list[Occurrence], list[Occurrence]]) -> None:
    state = an_order("10")
    traded = {fact.fill.trade_id: fact.fill.quantity for fact in history[1] if fact.fill}
    for fact in history[1]:
        following = after(state, fact)
        assert following == state or following.status in LEGAL[state.status]
        assert state.filled_quantity <= following.filled_quantity <= following.request.quantity
        assert following.filled_quantity + following.excess_quantity == following.traded_quantity
        state = following
    assert state.traded_quantity == sum(traded.values())


@given(histories(), st.integers(0, 20))
def test_doubt_at_any_moment_does_not_change_the_end(
        history: tuple[list[Occurrence], list[Occurrence]], moment: int) -> None:
    facts = history[0]
    doubted = after(an_order("10"), *facts[:moment], told(ReportKind.UNKNOWN, 1), *facts[moment:])
    plain = after(an_order("10"), *facts)
    told_later = any(fact.kind is not ReportKind.CANCEL_REQUESTED for fact in facts[moment:])
    if told_later or plain.status.final:
        assert replace(doubted, message="") == replace(plain, message="")
    else:
        assert doubted.status is OrderStatus.UNKNOWN
