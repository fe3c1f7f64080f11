"""The trading step: one tick after the other, instruments in their order, and every answer of risk and execution."""

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.actors.market import BookTop, FeatureRow
from dataflows.actors.strategy_domain import CancelOrder, OrderReport, PlaceOrder, Prediction
from dataflows.desk.desk import Approved, Sent, Vetoed
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.staleness import NO_SNAPSHOT
from dataflows.steps.market import TickRow
from dataflows.steps.trading import TradingLogic, TradingState
from dataflows.ticks import Tick
from sluice.config.settings import Settings
from sluice.instruments import InstrumentCatalog
from sluice.orders import Side
from sluice.risk.v1.approval_pb2 import SignedApproval

SECOND = 1_000_000_000
KEYS = ("BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT")
CATALOG = InstrumentCatalog.shipped().select(KEYS)


class ScriptedDesk:
    """Stands where the services are: notes every call, and answers as a test wants."""

    def __init__(self, sent: Sequence[Sent] = (), signatures: Sequence[bytes] = (b"1",), veto: bool = False) -> None:
        self.calls: list[tuple[str, object]] = []
        self.filled: list[OrderReport] = []
        self._sent, self._signatures, self._veto = list(sent), list(signatures), veto

    def advance(self, event_time_ns: int) -> int:
        self.calls.append(("advance", event_time_ns))
        return len(self.filled)

    def reports(self, after: int, until: int) -> list[OrderReport]:
        return self.filled[after:until]

    def observe(self, event_time_ns: int, rows: Sequence[FeatureRow], after_report: int) -> None:
        self.calls.append(("observe", (event_time_ns, tuple(row.instrument for row in rows), after_report)))

    def predict(self, rows: Sequence[FeatureRow], fractions: Sequence[float]) -> list[Prediction]:
        self.calls.append(("predict", tuple(zip((row.instrument for row in rows), fractions, strict=True))))
        return [Prediction(row.instrument, 1, True, "model") for row in rows]

    def evaluate(self, place: PlaceOrder, model_version: str, after_report: int) -> Approved | Vetoed:
        self.calls.append(("evaluate", (place.intent_id, after_report)))
        if self._veto:
            return Vetoed("d", ("GROSS_EXPOSURE",))
        signature = self._signatures.pop(0) if len(self._signatures) > 1 else self._signatures[0]
        return Approved(f"d/{place.instrument}", SignedApproval(signature=signature))

    def submit(self, approved: Approved) -> Sent:
        self.calls.append(("submit", approved.signed.signature))
        return self._sent.pop(0) if self._sent else Sent.YES

    def cancel(self, cancel: CancelOrder) -> None:
        self.calls.append(("cancel", cancel.client_order_id))

    def cancel_all(self, reason: str) -> None:
        self.calls.append(("cancel_all", reason))

    def of(self, name: str) -> list[object]:
        return [argument for called, argument in self.calls if called == name]


def a_logic(desk: ScriptedDesk, state: TradingState | None = None) -> TradingLogic:
    return TradingLogic(desk, CATALOG, Settings(), state or TradingState())


def a_row(key: str, second: int, *, last: bool = False) -> TickRow:
    width = len(MARKET_SCHEMA.features)
    top = BookTop(60_000.0, 1.0, 60_000.1, 1.0, float("nan"), True, second * SECOND)
    row = FeatureRow(
        key, second * SECOND, second, MARKET_SCHEMA.hash, (1.0,) * width, (True,) * width, top, second * 10, 0)
    return TickRow(row, Tick(second * SECOND, second * 20, (), last), 5_000, ())


def ticks(seconds: Sequence[int], *, last: int = 0) -> list[TickRow]:
    return [a_row(key, second, last=second == last) for second in seconds for key in KEYS]


def test_a_tick_waits_for_the_rows_of_every_instrument() -> None:
    desk = ScriptedDesk()
    logic = a_logic(desk)
    assert logic.on_batch([a_row(KEYS[1], 1)])[0] == []
    assert desk.calls == []
    (outcome,) = logic.on_batch([a_row(KEYS[0], 1)])[0]
    assert outcome.event_time_ns == SECOND
    assert desk.of("observe") == [(SECOND, KEYS, 0)]


def test_a_tick_goes_from_the_venue_by_reports_and_models_to_risk_and_execution() -> None:
    desk = ScriptedDesk()
    a_logic(desk).on_batch(ticks([1]))
    assert [name for name, _ in desk.calls] == [
        "advance", "observe", "predict", "evaluate", "submit", "evaluate", "submit"]
    assert desk.of("evaluate") == [(f"follow/{key}/{SECOND}/1", 0) for key in KEYS]


@given(st.permutations(range(8)))
def test_the_order_in_which_rows_arrive_changes_no_call(order: list[int]) -> None:
    expected, desk = ScriptedDesk(), ScriptedDesk()
    rows = ticks([1, 2, 3, 4])
    a_logic(expected).on_batch(rows)
    # Rows of one instrument keep their order in a stream; between instruments anything goes.
    queues = [[row for row in rows if row.row.instrument == key] for key in KEYS]
    logic = a_logic(desk)
    for index in order:
        queue = queues[index % 2] or queues[1 - index % 2]
        logic.on_batch([queue.pop(0)])
    assert desk.calls == expected.calls


def test_fills_are_taken_in_before_the_next_decision() -> None:
    desk = ScriptedDesk()
    logic = a_logic(desk)
    logic.on_batch(ticks([1]))
    desk.filled = [OrderReport(1, KEYS[0], "x", Side.BUY, True, Decimal("0.1"), Decimal(60_000), Decimal(1))]
    logic.on_batch(ticks([2]))
    fractions = dict(desk.of("predict")[1])  # type: ignore[call-overload]
    assert fractions[KEYS[0]] == pytest.approx(0.3, rel=0.01)
    assert fractions[KEYS[1]] == 0.0
    assert desk.of("observe")[1] == (2 * SECOND, KEYS, 1)


def test_a_veto_ends_the_intent_and_is_counted_once() -> None:
    desk = ScriptedDesk(veto=True)
    logic = a_logic(desk)
    logic.on_batch(ticks([1, 2]))
    assert desk.of("submit") == []
    assert len(desk.of("evaluate")) == 2, "a refused intent is not repeated at the next tick"


def test_a_stale_approval_is_asked_for_again_and_sent_with_its_new_signature() -> None:
    desk = ScriptedDesk(sent=[Sent.STALE, Sent.YES], signatures=[b"old", b"new"])
    a_logic(desk).on_batch([a_row(KEYS[0], 1), a_row(KEYS[1], 1)])
    assert desk.of("submit")[:2] == [b"old", b"new"]
    assert desk.of("evaluate")[0] == desk.of("evaluate")[1]


def test_a_stale_approval_that_risk_does_not_renew_is_given_up() -> None:
    desk = ScriptedDesk(sent=[Sent.STALE, Sent.STALE], signatures=[b"old"])
    a_logic(desk).on_batch(ticks([1]))
    assert desk.of("submit") == [b"old", b"old"], "once for each instrument, and no more"


def test_the_last_tick_cancels_what_is_open_and_trades_nothing() -> None:
    desk = ScriptedDesk()
    (outcome,) = a_logic(desk).on_batch(ticks([1], last=1))[0]
    assert outcome.last
    assert [name for name, _ in desk.calls] == ["advance", "observe", "cancel_all", "advance"]


def test_a_step_restored_between_two_ticks_goes_on_the_same() -> None:
    whole, first, second = ScriptedDesk(), ScriptedDesk(), ScriptedDesk()
    a_logic(whole).on_batch(ticks([1, 2, 3, 4, 5, 6, 7]))
    broken = a_logic(first)
    broken.on_batch([*ticks([1, 2, 3]), a_row(KEYS[0], 4)])
    a_logic(second, broken.snapshot()).on_batch([a_row(KEYS[1], 4), *ticks([5, 6, 7])])
    assert first.calls + second.calls == whole.calls


def test_the_statistics_say_whose_book_never_synced_and_why() -> None:
    (outcome,) = a_logic(ScriptedDesk()).on_batch(ticks([1]))[0]
    assert json.loads(outcome.statistics)["book_stale"]["never_synced"] == dict.fromkeys(KEYS, NO_SNAPSHOT)
