"""The risk engine: sizes an intent, runs every check on it, and keeps the state that the checks look at.

It is pure: no clock, no store, no network. `decide` changes nothing, so that a decision can be journalled before
`commit` lets it count; `observe` likewise answers the next state, and `accept` takes it. The same calls in the same
order give the same decisions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from risk.checks import CHECKS
from risk.domain import BookTop, ExecutionReport, Order, OrderIntent, Reason, TradingState
from risk.drawdown import DrawdownGuard, Latch, Period
from risk.market import Market
from risk.portfolio import EquityLine, Portfolio
from risk.pricing import slippage_bps, worst_price
from risk.rate import OrderRateWindow
from risk.reservations import Reservation, ReservedQuantities
from risk.sizing import SizingInput, sized_quantity
from risk.view import View
from sluice.clock import NS_PER_MS
from sluice.config.settings import LimitSettings
from sluice.decimals import ZERO
from sluice.errors import InvariantError
from sluice.instruments import Instrument, InstrumentCatalog
from sluice.orders import Side


@dataclass(frozen=True, slots=True)
class DecisionTimes:
    """When a decision is made and, where it is a yes, from when its approval counts (nanoseconds)."""

    now_ns: int
    issued_at_ns: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What the engine says to an intent: approved exactly where there is a reservation, else refused with reasons."""

    decision_id: str
    intent: OrderIntent
    order: Order
    reasons: tuple[Reason, ...]
    reservation: Reservation | None
    max_slippage_bps: Decimal = ZERO

    @property
    def approved(self) -> bool:
        """Tell whether the order may be sent."""
        return self.reservation is not None


@dataclass(frozen=True, slots=True)
class Observation:
    """The state after a market observation: equity by asset, high-water marks, and the latches that tripped now."""

    market: Market
    guard: DrawdownGuard
    equity: tuple[EquityLine, ...]
    tripped: tuple[Latch, ...]


class RiskEngine:
    """All of an account's risk state and the decisions on it. One writer only."""

    def __init__(
        self, catalog: InstrumentCatalog, limits: LimitSettings, balances: Mapping[str, Decimal],
        enabled: Iterable[str] = (),
    ) -> None:
        self._catalog = catalog
        self._enabled = frozenset(enabled)
        self.limits = limits
        self.portfolio = Portfolio(catalog, balances)
        self.market = Market()
        self.guard = DrawdownGuard()
        self.operator_state = TradingState.ACTIVE
        self._rate = OrderRateWindow(limits.order_window_ms * NS_PER_MS)
        self._drawdown_limits = {Period.DAY: limits.max_drawdown_day, Period.WEEK: limits.max_drawdown_week}

    @property
    def trading_state(self) -> TradingState:
        """Return the state in force: the operator's, made stricter by a drawdown latch."""
        if self.operator_state is TradingState.ACTIVE and self.guard.latches:
            return TradingState.REDUCING
        return self.operator_state

    def decide(self, intent: OrderIntent, decision_id: str, times: DecisionTimes) -> Decision:
        """Size the intent's order, run every check and return the decision. Changes nothing."""
        instrument = self._instrument(intent.order.instrument)
        order = self._sized(intent, instrument)
        view = self._view(intent, order, instrument, times.now_ns)
        reasons = tuple(reason for check in CHECKS if (reason := check.evaluate(order, view)) is not None)
        side, worst, reference = order.side, view.worst_price, view.reference_price
        if reasons or instrument is None or side is None or worst is None or reference is None:
            if not reasons:
                raise InvariantError("an order without a side or a price must have been refused, was not")
            return Decision(decision_id, intent, order, reasons, None)
        quantity = order.quantity if order.quantity is not None else abs(view.position)
        held = Reservation(
            decision_id, instrument, side, quantity, worst, order.reducing,
            times.issued_at_ns + self.limits.approval_lifetime_ms * NS_PER_MS)
        return Decision(decision_id, intent, order, (), held, slippage_bps(order, reference, self.limits))

    def commit(self, decision: Decision) -> None:
        """Let a journalled decision count: an approval is reserved and counts towards the order rate."""
        if decision.reservation is not None:
            self.restore(decision.reservation, decision.intent.event_time_ns)

    def restore(self, reservation: Reservation, event_time_ns: int) -> None:
        """Reserve for an approval and count it towards the order rate."""
        self.portfolio.reservations.reserve(reservation)
        self._rate.add(event_time_ns)

    def apply_report(self, report: ExecutionReport) -> bool:
        """Take in the next execution report; False where it was seen before."""
        return self.portfolio.apply(report)

    def observe(self, event_time_ns: int, tops: Iterable[BookTop]) -> Observation | None:
        """Return the state that an observation leads to; None where one as late was seen already. Changes nothing."""
        if event_time_ns <= self.market.event_time_ns:
            return None
        market = self.market.observed(event_time_ns, tops)
        lines = [self.portfolio.equity(asset, market.reference_price) for asset in self.portfolio.assets()]
        known = tuple(line for line in lines if line is not None)
        guard = self.guard.observed({line.asset: line.equity for line in known}, self._drawdown_limits, event_time_ns)
        return Observation(market, guard, known, guard.latches[len(self.guard.latches):])

    def accept(self, observation: Observation) -> None:
        """Let a journalled observation count."""
        self.market, self.guard = observation.market, observation.guard

    def gross_exposure(self) -> Decimal | None:
        """Return the worst-case gross exposure in the quote currency, or None where a price is unknown."""
        return self.portfolio.gross_exposure(self.market.reference_price, {})

    def _instrument(self, key: str) -> Instrument | None:
        return self._catalog.get(key) if not self._enabled or key in self._enabled else None

    def _sized(self, intent: OrderIntent, instrument: Instrument | None) -> Order:
        order, atr = intent.order, intent.average_true_range
        if instrument is None or order.reducing or order.quantity is None or atr is None or atr <= ZERO:
            return order
        reference, equity = self.market.reference_price(order.instrument), self._equity(instrument)
        price = worst_price(order, reference, self.limits) if reference is not None else None
        if price is None or price <= ZERO or equity is None or order.quantity <= ZERO:
            return order
        wanted = SizingInput(order.side, order.quantity, price, atr, equity)
        quantity = sized_quantity(wanted, instrument, self.limits)
        return replace(order, quantity=quantity) if quantity < order.quantity else order

    def _equity(self, instrument: Instrument) -> Decimal | None:
        line = self.portfolio.equity(instrument.settlement_asset, self.market.reference_price)
        return line.equity if line is not None else None

    def _view(self, intent: OrderIntent, order: Order, instrument: Instrument | None, now_ns: int) -> View:
        reference = self.market.reference_price(order.instrument)
        return View(
            intent=intent,
            now_ns=now_ns,
            limits=self.limits,
            trading_state=self.trading_state,
            market_time_ns=self.market.event_time_ns,
            approvals_in_window=self._rate.count(intent.event_time_ns),
            latch_day=self.guard.latched(Period.DAY),
            latch_week=self.guard.latched(Period.WEEK),
            instrument=instrument,
            top=self.market.tops.get(order.instrument),
            reference_price=reference,
            worst_price=worst_price(order, reference, self.limits) if reference is not None else None,
            position=self.portfolio.position(instrument.key).quantity if instrument is not None else ZERO,
            reserved=self._reserved(instrument),
            equity=self._equity(instrument) if instrument is not None else None,
            gross_exposure=self._gross_with(order, instrument),
        )

    def _reserved(self, instrument: Instrument | None) -> ReservedQuantities:
        if instrument is None:
            return ReservedQuantities()
        return self.portfolio.reservations.quantities(instrument.key)

    def _gross_with(self, order: Order, instrument: Instrument | None) -> Decimal | None:
        if instrument is None or order.quantity is None or order.side is None:
            return None
        added: dict[tuple[str, Side], Decimal] = {}
        if not order.reducing:
            added[instrument.key, order.side] = order.quantity
        return self.portfolio.gross_exposure(self.market.reference_price, added)
