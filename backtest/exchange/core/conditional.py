"""The conditional (algo) orders of one account in one symbol: they wait for a trigger and become ordinary orders.

    NEW -> TRIGGERING -> TRIGGERED -> FINISHED      it fired, its order was taken, and has ended (filled or not)
                      -> REJECTED                   it fired and its order was refused, e.g. for margin
    NEW -> CANCELED | EXPIRED                       on request; where there is nothing to close

Nothing is reserved before the trigger. An order with price protection does not fire while last and mark price are
further apart than the symbol's `triggerProtect`; it stays, and fires if the trigger still holds once they have come
together. Source: Binance, algo orders of USD-M futures (December 2025).
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from backtest.exchange.core import payloads, rules
from backtest.exchange.core.desk import Desk
from backtest.exchange.core.domain import OPEN_ALGO_STATUSES, AlgoOrder, ExchangeOrder, OrderTicket
from backtest.exchange.core.errors import ExchangeError, refuse
from backtest.exchange.core.prices import matched_price
from backtest.exchange.core.symbol_matching import Outcome
from backtest.matching.state import OutputKind, Reason
from sluice.decimals import ZERO
from sluice.orders import (
    PRICED_TYPES,
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

#: Ended conditional orders kept for questions.
KEPT: Final = 20_000
_NOTHING_TO_CLOSE: Final = "there is no position to close"


class ConditionalDesk:
    """Beside a desk: its conditional orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._trader = desk.trader
        self._orders: OrderedDict[int, AlgoOrder] = OrderedDict()
        self._by_client_id: dict[str, int] = {}
        self._by_order: dict[int, int] = {}
        self._protected: dict[int, None] = {}
        desk.on_conditional = self._on_outcome
        desk.on_closed = self._on_closed
        desk.on_changed = self._on_changed

    def __iter__(self) -> Iterator[AlgoOrder]:
        """Yield every order that is remembered, by id."""
        return iter(list(self._orders.values()))

    def find(self, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder | None:
        """Return an order by its id or client id, None where it is not known."""
        if algo_id is None:
            algo_id = self._by_client_id.get(client_algo_id or "")
        return None if algo_id is None else self._orders.get(algo_id)

    def place(self, ticket: OrderTicket) -> AlgoOrder:
        """Take a conditional order or raise `ExchangeError`."""
        desk = self._desk
        self._check(ticket)
        algo = self._new(ticket)
        if desk.matching.place_conditional(algo, desk.context.now_ns) is Reason.WOULD_TRIGGER:
            raise refuse(-2021)
        desk.context.take_algo_id()
        self._trader.open_algos += 1
        self._keep(algo)
        self._tell(algo)
        if algo.good_till_date_ms:
            desk.context.timers.at(algo.good_till_date_ms * 1_000_000, desk.expire)
        desk.drain()
        return self._orders.get(algo.algo_id, algo)

    def cancel(self, algo: AlgoOrder) -> AlgoOrder:
        """Cancel an order that waits."""
        desk = self._desk
        if algo.algo_id in self._protected:
            self._end(algo, "CANCELED", "")
        desk.matching.cancel_conditional(algo.algo_id, desk.context.now_ns)
        desk.drain()
        return self._orders.get(algo.algo_id, algo)

    # Placing

    def _check(self, ticket: OrderTicket) -> None:
        desk = self._desk
        rules.check_conditional(ticket, self._trader.money.hedge_mode, desk.context.now_ms)
        marked = desk.context.marks.get(desk.symbol) or ZERO
        rules.check_filters(replace(ticket, price=None), desk.listing, marked)
        if ticket.price is not None:
            rules.check_price(ticket.price, desk.listing)
        if self._trader.open_algos >= desk.listing.max_algo_orders:
            raise refuse(-4045)
        known = self.find(None, ticket.client_order_id) if ticket.client_order_id else None
        if known is not None and known.status in OPEN_ALGO_STATUSES:
            raise refuse(-4116)

    def _new(self, ticket: OrderTicket) -> AlgoOrder:
        context, listing = self._desk.context, self._desk.listing
        algo_id = context.next_algo_id
        trailing = ticket.type is OrderType.TRAILING_STOP_MARKET
        return AlgoOrder(
            account=self._trader.name, product=listing.product, symbol=listing.symbol, pair=listing.pair,
            algo_id=algo_id, client_algo_id=ticket.client_order_id or f"xalgo-{algo_id}", side=ticket.side,
            type=ticket.type, time_in_force=ticket.time_in_force or TimeInForce.GTC,
            position_side=ticket.position_side or PositionSide.BOTH, quantity=ticket.quantity or ZERO,
            price=ticket.price or ZERO, trigger_price=ticket.stop_price or ZERO, time_ms=context.now_ms,
            update_time_ms=context.now_ms, working_type=ticket.working_type,
            price_match=ticket.price_match or PriceMatch.NONE,
            self_trade_prevention=ticket.self_trade_prevention or SelfTradePrevention.EXPIRE_MAKER,
            reduce_only=bool(ticket.reduce_only) or ticket.close_position, close_position=ticket.close_position,
            price_protect=ticket.price_protect, activation_price=ticket.activation_price or ZERO,
            callback_rate_percent=ticket.callback_rate_percent or ZERO,
            active=not trailing or not ticket.activation_price, good_till_date_ms=ticket.good_till_date_ms)

    # Firing and ending

    def _on_outcome(self, outcome: Outcome) -> None:
        algo = self._orders.get(outcome.order_id)
        if algo is None or not algo.open:
            return
        if outcome.kind is OutputKind.TRIGGERED:
            if algo.price_protect and self._apart():
                self._protected[algo.algo_id] = None
            else:
                self._fire(algo)
        elif outcome.kind is OutputKind.ACTIVATED:
            if not algo.active:
                self._change(replace(algo, active=True))
        elif outcome.kind is OutputKind.CANCELED:
            self._end(algo, "CANCELED", "")
        elif outcome.kind is OutputKind.EXPIRED:
            self._end(algo, "EXPIRED", "")

    def look_again(self) -> None:
        """Let orders fire that price protection held back, or wait for their trigger anew. To be called as prices move.

        A trailing stop that was held back fires as soon as it may: where its trigger lies now nobody can tell.
        """
        if not self._protected or self._apart():
            return
        desk = self._desk
        for algo in [self._orders[algo_id] for algo_id in self._protected]:
            del self._protected[algo.algo_id]
            if algo.good_till_date_ms and algo.good_till_date_ms <= desk.context.now_ms:
                self._end(algo, "EXPIRED", "")
            elif (algo.type is OrderType.TRAILING_STOP_MARKET or
                    desk.matching.place_conditional(algo, desk.context.now_ns) is Reason.WOULD_TRIGGER):
                self._fire(algo)
        desk.drain()

    def _apart(self) -> bool:
        """Tell whether last and mark price are too far apart for protected orders; never where either is unknown."""
        last, mark = self._desk.market.last_price, self._desk.market.mark_price
        if last is None or mark is None:
            return False
        return abs(mark - last) > self._desk.listing.trigger_protect * mark

    def _fire(self, algo: AlgoOrder) -> None:
        now_ms = self._desk.context.now_ms
        algo = self._change(replace(algo, status="TRIGGERING", trigger_time_ms=now_ms))
        quantity = self._closable(algo) if algo.close_position else algo.quantity
        if quantity == ZERO:
            self._end(algo, "EXPIRED", _NOTHING_TO_CLOSE)
            return
        try:
            order = self._order_of(algo, quantity)
            self._desk.submit(order, lambda accepted: self._accepted(algo, accepted))
        except ExchangeError as refusal:
            self._end(algo, "REJECTED", refusal.message)

    def _order_of(self, algo: AlgoOrder, quantity: Decimal) -> ExchangeOrder:
        priced = algo.type in PRICED_TYPES
        reduces = algo.reduce_only and not self._trader.money.hedge_mode
        ticket = OrderTicket(
            algo.symbol, algo.side, OrderType.LIMIT if priced else OrderType.MARKET, quantity,
            algo.price if priced and algo.price else None, algo.time_in_force, algo.position_side,
            reduce_only=reduces or None, self_trade_prevention=algo.self_trade_prevention,
            price_match=algo.price_match if priced else None, good_till_date_ms=algo.good_till_date_ms)
        ticket = replace(ticket, price=matched_price(ticket, self._desk.market), price_match=None)
        order = self._desk.affordable(ticket)
        return replace(
            order, client_order_id=self._client_id(algo, order), original_type=algo.type,
            stop_price=algo.trigger_price, working_type=algo.working_type, price_protect=algo.price_protect,
            close_position=algo.close_position, price_match=algo.price_match)

    def _client_id(self, algo: AlgoOrder, order: ExchangeOrder) -> str:
        taken = self._desk.history.is_open(algo.client_algo_id)
        return order.client_order_id if taken else algo.client_algo_id

    def _closable(self, algo: AlgoOrder) -> Decimal:
        held = self._trader.money.position(algo.symbol, algo.position_side).quantity
        closing = Side.SELL if held > ZERO else Side.BUY
        return abs(held) if held and closing is algo.side else ZERO

    def _accepted(self, algo: AlgoOrder, order: ExchangeOrder) -> None:
        self._by_order[order.order_id] = algo.algo_id
        self._trader.open_algos -= 1
        self._change(replace(
            algo, status="TRIGGERED", actual_order_id=order.order_id, actual_type=order.type,
            actual_quantity=ZERO, actual_price=ZERO))

    def _on_changed(self, order: ExchangeOrder) -> None:
        if (algo_id := self._by_order.get(order.order_id)) is not None:
            algo = self._orders[algo_id]
            self._keep(replace(algo, actual_price=order.average_price, actual_quantity=order.executed_quantity))

    def _on_closed(self, order: ExchangeOrder) -> None:
        if (algo_id := self._by_order.pop(order.order_id, None)) is not None:
            algo = self._orders[algo_id]
            self._change(replace(
                algo, status="FINISHED", actual_price=order.average_price, actual_quantity=order.executed_quantity))

    def _end(self, algo: AlgoOrder, status: str, message: str) -> None:
        self._trader.open_algos -= 1
        self._protected.pop(algo.algo_id, None)
        self._change(replace(algo, status=status, message=message))

    def _change(self, algo: AlgoOrder) -> AlgoOrder:
        changed = replace(algo, update_time_ms=self._desk.context.now_ms)
        self._keep(changed)
        self._tell(changed)
        return changed

    def _keep(self, algo: AlgoOrder) -> None:
        self._orders[algo.algo_id] = algo
        self._by_client_id[algo.client_algo_id] = algo.algo_id
        if len(self._orders) > KEPT:
            self._forget()

    def _forget(self) -> None:
        oldest = next((a for a in self._orders.values() if a.status not in OPEN_ALGO_STATUSES), None)
        if oldest is not None:
            del self._orders[oldest.algo_id]
            if self._by_client_id.get(oldest.client_algo_id) == oldest.algo_id:
                del self._by_client_id[oldest.client_algo_id]

    def _tell(self, algo: AlgoOrder) -> None:
        desk = self._desk
        payload = payloads.algo_update(algo, desk.context.now_ms)
        desk.context.emit(self._trader.name, desk.listing.product, payload)
