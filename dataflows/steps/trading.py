"""The trading step: gathers the rows of a tick and takes them all the way to orders.

One account is one key, so ticks are worked one after the other and instruments in the order of their keys, however the
stream was cut. At a tick: the venue is played up to it, reports are taken in, risk is told the market, the models
predict, the strategies answer, and each intent goes through risk to execution. A tick worked again after a crash does
the same: every call is idempotent.
"""

from collections.abc import Callable
from typing import NamedTuple

from bytewax.operators import StatefulBatchLogic

from dataflows.actors.market import FeatureRow
from dataflows.actors.strategy import StrategyActor
from dataflows.actors.strategy_domain import CancelOrder, Command, MarketView, OrderReport, PlaceOrder, Prediction
from dataflows.desk.desk import Approved, Sent, Vetoed, order_id
from dataflows.desk.interface import TradingDesk
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.market_actors import cross_assets_of, schema_of_settings
from dataflows.statistics import FlowStatistics
from dataflows.steps.counting import TickOutcome, count_tick
from dataflows.steps.market import TickRow
from dataflows.ticks import Tick
from sluice.clock import NS_PER_MS
from sluice.config.settings import Settings
from sluice.instruments import InstrumentCatalog


class TradingState(NamedTuple):
    """What the step remembers, as bytes and numbers only."""

    strategies: tuple[tuple[str, bytes], ...] = ()
    report_sequence: int = 0
    statistics: bytes | None = None
    waiting: tuple[TickRow, ...] = ()
    done_ns: int = 0
    cross_assets: tuple[tuple[str, bytes], ...] = ()
    cross_assets_ns: int = 0


class TradingLogic(StatefulBatchLogic[TickRow, TickOutcome, TradingState]):
    """Works the ticks of one account."""

    def __init__(
        self, desk: TradingDesk, catalog: InstrumentCatalog, settings: Settings, state: TradingState
    ) -> None:
        self._desk = desk
        self._catalog = catalog
        kept = dict(state.strategies)
        self._strategies = {
            instrument.key: StrategyActor(instrument, settings.strategy, kept.get(instrument.key))
            for instrument in catalog}
        self._cross_assets = cross_assets_of(
            schema_of_settings(settings.features), settings.features.reference,
            settings.source.tick_interval_ms * NS_PER_MS, dict(state.cross_assets), state.cross_assets_ns)
        self._report_sequence = state.report_sequence
        self._statistics = FlowStatistics(state.statistics)
        self._waiting = {(row.tick.time_ns, row.row.instrument): row for row in state.waiting}
        self._done_ns = state.done_ns

    def on_batch(self, values: list[TickRow]) -> tuple[list[TickOutcome], bool]:
        """Take rows in; work every tick whose rows are complete."""
        outcomes = []
        for value in values:
            self._waiting[value.tick.time_ns, value.row.instrument] = value
            if (rows := self._complete(value.tick)) is not None:
                outcomes.append(self._work(rows))
        return outcomes, False

    def on_eof(self) -> tuple[list[TickOutcome], bool]:
        """Emit nothing: the end of the input may be a stop, after which the stream goes on."""
        return [], False

    def snapshot(self) -> TradingState:
        """Return everything that a restart needs."""
        return TradingState(
            tuple((key, actor.snapshot()) for key, actor in self._strategies.items()),
            self._report_sequence,
            self._statistics.snapshot(),
            tuple(self._waiting.values()),
            self._done_ns,
            *self._cross_state(),
        )

    def _cross_state(self) -> tuple[tuple[tuple[str, bytes], ...], int]:
        if self._cross_assets is None:
            return (), 0
        return tuple(self._cross_assets.snapshot().items()), self._cross_assets.last_ns

    def _complete(self, tick: Tick) -> list[TickRow] | None:
        keys = [(tick.time_ns, instrument.key) for instrument in self._catalog]
        if any(key not in self._waiting for key in keys):
            return None
        return [self._waiting.pop(key) for key in keys]

    def _work(self, tick_rows: list[TickRow]) -> TickOutcome:
        tick = tick_rows[0].tick
        if self._cross_assets is not None:
            rows = self._cross_assets.on_tick([found.row for found in tick_rows])
            tick_rows = [found._replace(row=row) for found, row in zip(tick_rows, rows, strict=True)]
        with self._statistics.timed("whole"):
            self._walk(tick, [found.row for found in tick_rows])
        count_tick(self._statistics, tick_rows)
        return TickOutcome(tick.time_ns, self._statistics.as_json(), tick.last)

    def _walk(self, tick: Tick, rows: list[FeatureRow]) -> None:
        with self._statistics.timed("advance"):
            until = self._desk.advance(tick.time_ns)
        self._take_reports(until)
        with self._statistics.timed("observe"):
            self._desk.observe(tick.time_ns, rows, self._report_sequence)
        if tick.last:
            self._close(tick)
        else:
            self._trade(rows)

    def _take_reports(self, until: int) -> None:
        with self._statistics.timed("reports"):
            reports = self._desk.reports(self._report_sequence, until)
        for report in reports:
            self._take(report)
        self._report_sequence = max(until, self._report_sequence)

    def _take(self, report: OrderReport) -> None:
        if (strategy := self._strategies.get(report.instrument)) is not None:
            strategy.on_report(report)

    def _trade(self, rows: list[FeatureRow]) -> None:
        views = [view_of(row) for row in rows]
        fractions = [
            self._strategies[row.instrument].position_fraction(view) for row, view in zip(rows, views, strict=True)]
        with self._statistics.timed("predict"):
            predictions = self._desk.predict(rows, fractions)
        self._statistics.counts.predictions += sum(prediction.valid for prediction in predictions)
        for view, prediction in zip(views, predictions, strict=True):
            strategy = self._strategies[prediction.instrument]
            for command in strategy.on_tick(view, prediction):
                self._carry_out(strategy, command, prediction)

    def _carry_out(self, strategy: StrategyActor, command: Command, prediction: Prediction) -> None:
        if isinstance(command, CancelOrder):
            with self._statistics.timed("cancel"):
                self._desk.cancel(command)
            return
        self._place(strategy, command, prediction)

    def _place(self, strategy: StrategyActor, place: PlaceOrder, prediction: Prediction) -> None:
        self._statistics.counts.intents += 1
        decision = self._evaluate(place, prediction)
        while isinstance(decision, Approved):
            with self._statistics.timed("submit"):
                sent = self._desk.submit(decision)
            if sent is Sent.YES:
                strategy.on_sent(order_id(decision.decision_id))
                return
            again = self._evaluate(place, prediction) if sent is Sent.STALE else decision
            if again == decision:
                break
            decision = again
        strategy.on_refused()

    def _evaluate(self, place: PlaceOrder, prediction: Prediction) -> Approved | Vetoed:
        with self._statistics.timed("evaluate"):
            return self._desk.evaluate(place, prediction.model_version, self._report_sequence)

    def _close(self, tick: Tick) -> None:
        self._desk.cancel_all("end of the tape")
        settled_ns = tick.time_ns + SETTLE_NS
        self._take_reports(self._desk.advance(settled_ns))
        self._statistics.counts.finished = True


#: After the last tick the venue is played on by this much, so that the closing cancels arrive and are reported.
SETTLE_NS = 60_000_000_000


#: Where risk's measure for sizing stands in a row.
AVERAGE_TRUE_RANGE = MARKET_SCHEMA.features.index("average_true_range")
#: Every schema begins with the columns of the light one.
_LIGHT_WIDTH = len(MARKET_SCHEMA.features)


def view_of(row: FeatureRow) -> MarketView:
    """Return what a strategy needs of a row; not usable while the book is out of sync or a light feature not warm.

    What else must be valid is known to the model alone, and said with its prediction.
    """
    atr = row.values[AVERAGE_TRUE_RANGE]
    usable = row.top.synced and all(row.valid[:_LIGHT_WIDTH]) and row.top.best_bid < row.top.best_ask
    return MarketView(row.event_time_ns, row.top.best_bid, row.top.best_ask, atr, usable)


def trading_logic(
    desk: Callable[[], TradingDesk], catalog: InstrumentCatalog, settings: Settings
) -> Callable[[TradingState | None], TradingLogic]:
    """Return the builder that Bytewax calls with the state to resume from."""
    return lambda state: TradingLogic(desk(), catalog, settings, TradingState(*state) if state else TradingState())
