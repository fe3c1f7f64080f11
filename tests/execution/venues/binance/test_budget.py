"""The request limits as the exchange counts them: never more is sent in a window than is allowed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.venues.binance.budget import BudgetExhausted, Window, WindowBudget
from execution.venues.binance.products import ACCOUNT_TRADES, CANCEL_ORDER, PLACE_ORDER, QUERY_ORDER

S = 1_000_000_000
WINDOWS = (Window("X-MBX-USED-WEIGHT-1M", 60 * S, 20, counts_orders=False),
           Window("X-MBX-ORDER-COUNT-10S", 10 * S, 5, counts_orders=True))


def sent(budget: WindowBudget, endpoint: object, now_ns: int) -> bool:
    try:
        budget.pay(endpoint, now_ns)  # type: ignore[arg-type]  # one of the endpoints above
    except BudgetExhausted:
        return False
    return True


@given(st.lists(st.tuples(st.integers(0, 20 * S), st.sampled_from([PLACE_ORDER, CANCEL_ORDER, ACCOUNT_TRADES]))))
def test_no_window_ever_holds_more_than_its_limit(steps: list[tuple[int, object]]) -> None:
    budget, now = WindowBudget(WINDOWS), 0
    weight: Counter[int] = Counter()
    orders: Counter[int] = Counter()
    for pause, endpoint in steps:
        now += pause
        if sent(budget, endpoint, now):
            weight[now // (60 * S)] += endpoint.weight  # type: ignore[attr-defined]  # an endpoint
            orders[now // (10 * S)] += endpoint.orders  # type: ignore[attr-defined]  # an endpoint
    assert max(weight.values(), default=0) <= 20
    assert max(orders.values(), default=0) <= 5


def test_a_refusal_says_when_the_window_ends_and_costs_nothing() -> None:
    budget = WindowBudget(WINDOWS, reserve_percent=0)
    assert [sent(budget, PLACE_ORDER, 3 * S) for _ in range(6)] == [True] * 5 + [False]
    with pytest.raises(BudgetExhausted, match="ORDER-COUNT-10S is used up") as caught:
        budget.pay(PLACE_ORDER, 9 * S)
    assert caught.value.until_ns == 10 * S
    assert sent(budget, PLACE_ORDER, 10 * S)


def test_cancels_and_questions_may_use_the_reserve_that_others_may_not() -> None:
    budget = WindowBudget(WINDOWS, reserve_percent=50)
    budget.observe({"X-MBX-USED-WEIGHT-1M": "10"}, 0)
    plain = ACCOUNT_TRADES.__class__("GET", "/v1/exchangeInfo")
    assert not sent(budget, plain, 0)
    assert sent(budget, CANCEL_ORDER, 0)
    assert sent(budget, QUERY_ORDER, 0)


def test_the_exchanges_count_raises_ours_and_never_lowers_it() -> None:
    budget = WindowBudget(WINDOWS)
    budget.observe({"X-MBX-USED-WEIGHT-1M": "18"}, 0)
    budget.observe({"X-MBX-USED-WEIGHT-1M": "3"}, 0)
    budget.observe({"X-MBX-USED-WEIGHT-1M": "nonsense"}, 0)
    assert budget.used(WINDOWS[0], 0) == 18
    assert budget.used(WINDOWS[0], 60 * S) == 0


def test_nothing_is_sent_while_the_exchange_wants_a_pause_not_even_a_cancel() -> None:
    budget = WindowBudget(WINDOWS)
    budget.block(30 * S)
    budget.block(20 * S)
    assert not sent(budget, CANCEL_ORDER, 29 * S)
    assert sent(budget, CANCEL_ORDER, 30 * S)
