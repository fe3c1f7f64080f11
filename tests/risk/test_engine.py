"""The engine as a whole: what it approves, what a veto says, and that it is deterministic."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.domain import Order, ReasonCode, TradingState
from risk.engine import Decision, RiskEngine
from sluice.config.settings import LimitSettings
from sluice.errors import InvariantError
from sluice.orders import OrderType, ReportKind, Side, TriggerPrice
from tests.risk.builders import (
    BTC,
    COIN,
    ETH,
    NOON,
    SECOND,
    approve,
    codes,
    decide,
    engine,
    fill,
    market_order,
    order,
    reporter,
    see,
)


def test_a_good_order_is_approved_as_it_was_asked_for() -> None:
    decision = decide(engine(), order())
    assert decision.approved
    assert decision.order == order()
    assert decision.reservation is not None
    assert decision.reservation.notional == Decimal(5_000)
    assert decision.reservation.expires_at_ns == NOON + 1_500_000_000


def test_deciding_changes_nothing_until_it_is_committed() -> None:
    made = engine()
    first = decide(made, order())
    assert decide(made, order()) == first
    assert len(made.portfolio.reservations) == 0
    made.commit(first)
    assert [held.decision_id for held in made.portfolio.reservations] == [first.decision_id]


def test_a_decision_is_never_reserved_twice() -> None:
    made = engine()
    decision = approve(made, order(), "a")
    try:
        made.commit(decision)
    except InvariantError as error:
        assert "must be reserved once" in error.message
    else:
        raise AssertionError("the second commit must be refused")


def test_a_veto_carries_every_reason_and_not_only_the_first() -> None:
    made = engine()
    made.operator_state = TradingState.HALTED
    wanted = order(quantity="0.1005", price=Decimal("51000.05"))
    found = codes(decide(made, wanted, time_ns=NOON + 5 * SECOND, average_true_range=None))
    assert found == {
        ReasonCode.TRADING_HALTED, ReasonCode.INTENT_MALFORMED, ReasonCode.INTENT_TIME, ReasonCode.STALE_DATA,
        ReasonCode.PRICE_TICK, ReasonCode.QUANTITY_LOT, ReasonCode.PRICE_COLLAR,
    }


def test_reasons_say_what_must_be_and_what_was() -> None:
    reason = next(iter(decide(engine(), order(price=Decimal(50_500))).reasons))
    assert (reason.limit, reason.observed) == ("50", "100")
    assert reason.message == "distance of price from 50000 must be at most 50 bps, was 100"


def test_an_unknown_instrument_is_a_veto_and_no_crash() -> None:
    decision = decide(engine(), order("BINANCE_USDM:NOPE"))
    assert codes(decision) == {ReasonCode.INSTRUMENT_UNKNOWN}


def test_an_instrument_that_is_not_enabled_is_a_veto() -> None:
    made = engine(enabled=[ETH])
    assert codes(decide(made, order(BTC))) == {ReasonCode.INSTRUMENT_UNKNOWN}
    assert decide(made, order(ETH, quantity="1")).approved


def test_an_engine_that_has_seen_no_market_refuses_everything() -> None:
    found = codes(decide(engine(observed=False), order()))
    assert {ReasonCode.STALE_DATA, ReasonCode.INTENT_TIME} <= found


def test_an_order_in_an_asset_without_equity_is_a_veto() -> None:
    made = engine(balances={"USDT": Decimal(1_000)})
    assert codes(decide(made, order(COIN, quantity="1"))) == {ReasonCode.EQUITY_UNKNOWN}


def test_reducing_lets_only_reduce_only_orders_pass() -> None:
    made, report = engine(), reporter()
    held = approve(made, order(), "entry")
    made.apply_report(report(ReportKind.FILL, held, final=True, fill=fill("0.1", "50000")))
    made.operator_state = TradingState.REDUCING
    assert codes(decide(made, order(), "more")) == {ReasonCode.TRADING_REDUCING}
    assert decide(made, market_order(side=Side.SELL, reduce_only=True), "exit").approved


def test_a_closing_stop_reserves_the_whole_position() -> None:
    made, report = engine(), reporter()
    held = approve(made, order(), "entry")
    made.apply_report(report(ReportKind.FILL, held, final=True, fill=fill("0.1", "50000")))
    stop = order(side=Side.SELL, type=OrderType.STOP_MARKET, price=None, quantity="1", stop_price=Decimal(48_000),
                 trigger_price=TriggerPrice.MARK, close_position=True)
    assert ReasonCode.INTENT_MALFORMED in codes(decide(made, stop))
    found = decide(made, replace(stop, quantity=None))
    assert found.reservation is not None
    assert found.reservation.quantity == Decimal("0.1")


def test_an_older_or_equal_observation_is_ignored() -> None:
    made = engine()
    assert made.observe(NOON, []) is None
    assert made.observe(NOON - 1, []) is None
    see(made, NOON + 1)
    assert made.market.event_time_ns == NOON + 1


_ORDERS = st.lists(
    st.tuples(
        st.sampled_from([BTC, ETH, COIN]), st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 300), st.integers(-60, 60), st.booleans(), st.integers(0, 3)),
    min_size=1, max_size=25)


def _run(orders: list[tuple[str, Side, int, int, bool, int]]) -> tuple[list[Decision], RiskEngine]:
    made, report, decisions, now = engine(LimitSettings(max_orders_per_window=10)), reporter(), [], NOON
    for number, (instrument, side, lots, ticks, reducing, wait) in enumerate(orders):
        now += wait * SECOND
        if wait:
            see(made, now)
        found = decide(made, _order(instrument, side, lots, ticks, reducing=reducing), f"i/{number}", now)
        decisions.append(found)
        made.commit(found)
        if found.approved and lots % 3 == 0:
            assert found.reservation is not None
            trade = fill(str(found.reservation.quantity), str(found.order.price))
            made.apply_report(report(ReportKind.FILL, found, final=True, fill=trade))
    return decisions, made


def _order(instrument: str, side: Side, lots: int, ticks: int, *, reducing: bool) -> Order:
    made = order(instrument, side, reduce_only=reducing)
    lot = {BTC: Decimal("0.001"), ETH: Decimal("0.01"), COIN: Decimal(1)}[instrument]
    price = made.price + ticks * Decimal("0.1") if made.price is not None else None
    return replace(made, quantity=lots * lot, price=price)


@given(orders=_ORDERS)
def test_the_same_calls_give_the_same_decisions(orders: list[tuple[str, Side, int, int, bool, int]]) -> None:
    assert _run(orders)[0] == _run(orders)[0]


@given(orders=_ORDERS)
def test_whatever_is_asked_the_limits_hold(orders: list[tuple[str, Side, int, int, bool, int]]) -> None:
    decisions, made = _run(orders)
    limits = made.limits
    exposure = made.gross_exposure()
    assert exposure is not None
    assert exposure <= limits.max_gross_exposure * Decimal("1.01")  # fills off the mark by at most the collar
    for decision in decisions:
        if decision.approved and not decision.order.reducing:
            assert decision.reservation is not None
            assert decision.reservation.notional <= limits.max_order_notional
            asked = decision.intent.order.quantity
            assert asked is not None
            assert decision.reservation.quantity <= asked
