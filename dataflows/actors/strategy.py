"""The shipped strategy: one actor per instrument that follows the model's action with a target stance.

It enters when the action asks for a side, gets out (reduce-only) when the action turns against it or it has held long
enough, keeps at most one working order, and takes a resting order back when it has waited too long. It knows nothing of
limits: risk may make an order smaller or refuse it. It is pure: what it does depends on its state, the report, the view
and the prediction alone.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from dataflows.actors.strategy_domain import (
    CancelOrder,
    Command,
    MarketView,
    OrderKind,
    OrderReport,
    PlaceOrder,
    Prediction,
)
from sluice.config.settings import StrategySettings
from sluice.decimals import ONE, ZERO, nearest_step, truncate_to_step
from sluice.instruments import Instrument
from sluice.orders import Side
from sluice.positions import Position


@dataclass(frozen=True, slots=True)
class StrategyState:
    """All that a strategy remembers. Immutable: every step makes the next one."""

    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    working_order: str = ""
    working_ticks: int = 0
    cancel_sent: bool = False
    held_ticks: int = 0
    resting_ticks: int = 0
    intents: int = 0


class StrategyActor:
    """Turns predictions and its position into intents."""

    def __init__(self, instrument: Instrument, settings: StrategySettings, snapshot: bytes | None = None) -> None:
        self._instrument = instrument
        self._settings = settings
        self._state = msgspec.json.decode(snapshot, type=StrategyState) if snapshot else StrategyState()

    @property
    def state(self) -> StrategyState:
        """Return what it remembers."""
        return self._state

    def snapshot(self) -> bytes:
        """Return the state as bytes from which an equal actor is built."""
        return msgspec.json.encode(self._state)

    def position_fraction(self, view: MarketView) -> float:
        """Return the position as a fraction (-1 to 1) of the largest that the strategy aims at (two units)."""
        if not self._state.quantity or not view.usable:
            return 0.0
        mid = Decimal(repr((view.best_bid + view.best_ask) / 2))
        notional = self._instrument.notional(self._state.quantity, mid) / (2 * self._settings.unit_notional)
        return float(min(notional, ONE).copy_sign(self._state.quantity))

    def on_report(self, report: OrderReport) -> None:
        """Take in what happened to an order of this instrument."""
        state = self._state
        if report.fill_quantity:
            before = Position(self._instrument, state.quantity, state.entry_price)
            after = before.with_fill(report.fill_quantity * report.side.sign, report.fill_price, report.fee)
            turned = before.quantity * after.quantity <= ZERO
            state = replace(state, quantity=after.quantity, entry_price=after.entry_price,
                            held_ticks=0 if turned else state.held_ticks)
        if report.final and report.client_order_id == state.working_order:
            state = replace(state, working_order="", working_ticks=0, cancel_sent=False)
        self._state = state

    def on_sent(self, client_order_id: str) -> None:
        """Remember that an order of ours is at the venue or on its way there."""
        self._state = replace(self._state, working_order=client_order_id, working_ticks=0, cancel_sent=False)

    def on_refused(self) -> None:
        """Remember that an intent was refused: asking the same again at once would only be refused again."""
        self._state = replace(self._state, resting_ticks=self._settings.order_patience_ticks)

    def on_tick(self, view: MarketView, prediction: Prediction) -> list[Command]:
        """Return what to do at a tick: nothing, one order, or the cancel of the working one."""
        self._count_tick()
        if self._state.working_order:
            return self._patience()
        if not view.usable or self._state.resting_ticks:
            return []
        if (order := self._exit(view, prediction) or self._entry(view, prediction)) is None:
            return []
        self._state = replace(self._state, intents=self._state.intents + 1)
        return [order]

    def _count_tick(self) -> None:
        state = self._state
        held = state.held_ticks + 1 if state.quantity else 0
        self._state = replace(state, held_ticks=held, resting_ticks=max(state.resting_ticks - 1, 0))

    def _patience(self) -> list[Command]:
        state = replace(self._state, working_ticks=self._state.working_ticks + 1)
        waited = state.working_ticks >= self._settings.order_patience_ticks and not state.cancel_sent
        self._state = replace(state, cancel_sent=True) if waited else state
        return [CancelOrder(state.working_order, "waited too long")] if waited else []

    def _exit(self, view: MarketView, prediction: Prediction) -> PlaceOrder | None:
        quantity = self._state.quantity
        against = prediction.valid and prediction.action * quantity < ZERO
        if not quantity or not (against or self._state.held_ticks >= self._settings.holding_ticks):
            return None
        side = Side.SELL if quantity > ZERO else Side.BUY
        return self._order(view, prediction, side, OrderKind.MARKET, abs(quantity), reduce_only=True)

    def _entry(self, view: MarketView, prediction: Prediction) -> PlaceOrder | None:
        if not prediction.valid or not prediction.action or self._state.quantity:
            return None
        side = Side.BUY if prediction.action > 0 else Side.SELL
        kind = OrderKind.TAKE if abs(prediction.action) > 1 else OrderKind.POST_ONLY
        quantity = self._quantity(view, abs(prediction.action))
        if quantity <= ZERO:
            return None
        return self._order(view, prediction, side, kind, quantity, reduce_only=False)

    def _quantity(self, view: MarketView, units: int) -> Decimal:
        mid = Decimal(repr((view.best_bid + view.best_ask) / 2))
        one = self._instrument.notional(ONE, mid)
        return truncate_to_step(self._settings.unit_notional * units / one, self._instrument.lot_size)

    def _order(
        self, view: MarketView, prediction: Prediction, side: Side, kind: OrderKind, quantity: Decimal,
        *, reduce_only: bool,
    ) -> PlaceOrder:
        instrument = self._instrument
        joins_bid = (side is Side.BUY) == (kind is OrderKind.POST_ONLY)
        price = nearest_step(view.best_bid if joins_bid else view.best_ask, instrument.tick_size)
        fine = instrument.tick_size / 1000
        return PlaceOrder(
            intent_id=f"{self._settings.name}/{instrument.key}/{view.event_time_ns}/{self._state.intents + 1}",
            instrument=instrument.key,
            side=side,
            kind=kind,
            quantity=quantity,
            price=None if kind is OrderKind.MARKET else price,
            reduce_only=reduce_only,
            average_true_range=None if reduce_only else nearest_step(view.average_true_range, fine),
            event_time_ns=view.event_time_ns,
            action=prediction.action,
        )
