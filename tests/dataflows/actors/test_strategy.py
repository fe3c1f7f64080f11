"""The shipped strategy: what it does with a prediction, a position and a working order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.actors.strategy import StrategyActor
from dataflows.actors.strategy_domain import CancelOrder, MarketView, OrderKind, OrderReport, PlaceOrder, Prediction
from sluice.config.settings import StrategySettings
from sluice.instruments import Instrument, InstrumentCatalog
from sluice.orders import Side

CATALOG = InstrumentCatalog.shipped()
LINEAR = CATALOG.require("BINANCE_USDM:BTCUSDT")
INVERSE = CATALOG.require("BINANCE_COINM:BTCUSD_PERP")
SETTINGS = StrategySettings(unit_notional=Decimal(10_000), order_patience_ticks=3, holding_ticks=5)


def a_view(time_ns: int = 1_000, *, usable: bool = True) -> MarketView:
    return MarketView(time_ns, 60_000.0, 60_000.1, 25.5, usable)


def a_prediction(action: int, *, valid: bool = True, instrument: Instrument = LINEAR) -> Prediction:
    return Prediction(instrument.key, action, valid, "model")


def a_fill(side: Side, quantity: str, *, client_order_id: str = "order", final: bool = True) -> OrderReport:
    return OrderReport(1, LINEAR.key, client_order_id, side, final, Decimal(quantity), Decimal(60_000), Decimal("0.1"))


def an_actor(instrument: Instrument = LINEAR) -> StrategyActor:
    return StrategyActor(instrument, SETTINGS)


def placed(actor: StrategyActor, action: int, view: MarketView | None = None) -> PlaceOrder:
    (command,) = actor.on_tick(view or a_view(), a_prediction(action))
    assert isinstance(command, PlaceOrder)
    return command


def test_a_mild_action_joins_its_own_side_of_the_book() -> None:
    order = placed(an_actor(), 1)
    assert (order.side, order.kind, order.price, order.quantity) == (
        Side.BUY, OrderKind.POST_ONLY, Decimal("60000.0"), Decimal("0.166"))


def test_a_strong_action_takes_the_other_side_with_two_units() -> None:
    order = placed(an_actor(), -2)
    assert (order.side, order.kind, order.price, order.quantity) == (
        Side.SELL, OrderKind.TAKE, Decimal("60000.0"), Decimal("0.333"))


def test_an_inverse_contract_is_sized_in_contracts() -> None:
    (command,) = an_actor(INVERSE).on_tick(a_view(), a_prediction(1, instrument=INVERSE))
    assert isinstance(command, PlaceOrder)
    assert command.quantity == Decimal(100)


@pytest.mark.parametrize(("action", "valid", "usable"), [(0, True, True), (2, False, True), (2, True, False)])
def test_nothing_is_done_without_an_action_a_valid_prediction_or_a_usable_market(
    action: int, valid: bool, usable: bool
) -> None:
    assert an_actor().on_tick(a_view(usable=usable), a_prediction(action, valid=valid)) == []


def test_one_working_order_is_enough_and_is_cancelled_once_when_it_waited_too_long() -> None:
    actor = an_actor()
    placed(actor, 1)
    actor.on_sent("order")
    answers = [actor.on_tick(a_view(), a_prediction(1)) for _ in range(5)]
    assert answers == [[], [], [CancelOrder("order", "waited too long")], [], []]


def test_a_final_report_frees_the_actor_for_the_next_order() -> None:
    actor = an_actor()
    placed(actor, 1)
    actor.on_sent("order")
    actor.on_report(OrderReport(2, LINEAR.key, "order", Side.BUY, final=True))
    assert placed(actor, 1).intent_id.endswith("/2")


def test_a_position_is_closed_reduce_only_when_the_model_turns() -> None:
    actor = an_actor()
    actor.on_report(a_fill(Side.BUY, "0.1"))
    order = placed(actor, -1)
    assert (order.side, order.kind, order.quantity, order.reduce_only, order.price, order.average_true_range) == (
        Side.SELL, OrderKind.MARKET, Decimal("0.1"), True, None, None)


def test_a_position_is_closed_after_its_holding_time_even_without_a_valid_prediction() -> None:
    actor = an_actor()
    actor.on_report(a_fill(Side.SELL, "0.1"))
    answers = [actor.on_tick(a_view(), a_prediction(0, valid=False)) for _ in range(5)]
    assert answers[:4] == [[], [], [], []]
    (command,) = answers[4]
    assert isinstance(command, PlaceOrder)
    assert (command.side, command.reduce_only) == (Side.BUY, True)


def test_a_refused_intent_is_not_repeated_at_once() -> None:
    actor = an_actor()
    placed(actor, 1)
    actor.on_refused()
    answers = [actor.on_tick(a_view(), a_prediction(1)) for _ in range(3)]
    assert [len(answer) for answer in answers] == [0, 0, 1]


def test_the_position_fraction_is_signed_and_at_most_one() -> None:
    actor = an_actor()
    assert actor.position_fraction(a_view()) == 0.0
    actor.on_report(a_fill(Side.SELL, "0.1"))
    assert actor.position_fraction(a_view()) == pytest.approx(-0.3, rel=1e-3)
    actor.on_report(a_fill(Side.SELL, "10"))
    assert actor.position_fraction(a_view()) == -1.0


KINDS = st.sampled_from(["tick", "sent", "refused", "fill", "end"])
STEPS = st.lists(st.tuples(KINDS, st.integers(-2, 2)), max_size=40)


def drive(actor: StrategyActor, step: str, action: int, time_ns: int) -> list[object]:
    if step == "tick":
        return list(actor.on_tick(a_view(time_ns), a_prediction(action)))
    if step == "sent":
        actor.on_sent(f"order{time_ns}")
    elif step == "refused":
        actor.on_refused()
    elif step == "fill":
        actor.on_report(a_fill(Side.BUY if action >= 0 else Side.SELL, "0.05", final=False))
    else:
        actor.on_report(OrderReport(time_ns, LINEAR.key, actor.state.working_order, Side.BUY, final=True))
    return []


@given(STEPS, st.integers(0, 40))
def test_an_actor_restored_anywhere_goes_on_the_same(steps: list[tuple[str, int]], cut: int) -> None:
    whole, broken = an_actor(), an_actor()
    for index, (step, action) in enumerate(steps):
        if index == cut:
            broken = StrategyActor(LINEAR, SETTINGS, broken.snapshot())
        assert drive(whole, step, action, index) == drive(broken, step, action, index)
        assert whole.snapshot() == broken.snapshot()


@given(STEPS)
def test_intent_ids_never_repeat(steps: list[tuple[str, int]]) -> None:
    actor = an_actor()
    commands = [command for index, (step, action) in enumerate(steps) for command in drive(actor, step, action, index)]
    ids = [command.intent_id for command in commands if isinstance(command, PlaceOrder)]
    assert len(ids) == len(set(ids))
