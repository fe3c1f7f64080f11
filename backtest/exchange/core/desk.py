"""The orders of one account in one symbol: from the ticket to the last fill, each step told to the user stream.

The matching kernels decide what fills and what ends; this is the life cycle around them: checks, ids, money, statuses
and events. Conditional orders are the neighbour's (`conditional`).
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from backtest.account import Fill, FillEffect, OpenOrder, ProposedOrder, assumed_price, check_notional
from backtest.exchange.core import payloads, rules
from backtest.exchange.core.context import Context
from backtest.exchange.core.domain import AccountTrade, ExchangeOrder, Listing, OrderTicket, Product
from backtest.exchange.core.errors import ExchangeError, refuse
from backtest.exchange.core.order_history import OrderHistory
from backtest.exchange.core.ordering import REASONS, Ending, cutoff, new_order, with_fill
from backtest.exchange.core.prices import matched_price
from backtest.exchange.core.staging import Staging, taken
from backtest.exchange.core.symbol_matching import Outcome, SymbolMatching
from backtest.exchange.core.trader import Trader, raise_refusal
from backtest.matching.state import OutputKind, Reason
from sluice.decimals import ZERO, text
from sluice.orders import OrderType, Side


class Desk:
    """One account's orders in one symbol. `on_conditional` hears of conditional orders that fire or wake up."""

    def __init__(self, trader: Trader, listing: Listing) -> None:
        self.trader = trader
        self.listing = listing
        self.context: Context = trader.context
        self.market = self.context.market(listing.symbol)
        self.history = OrderHistory()
        self.on_conditional: Callable[[Outcome], None] = _nobody
        self.on_closed: Callable[[ExchangeOrder], None] = _nobody
        self.on_changed: Callable[[ExchangeOrder], None] = _nobody
        self._matching: SymbolMatching | None = None
        self._effects: list[FillEffect] | None = None
        self._staging = Staging(listing.instrument.lot_size, self.context.timers, self._take)

    @property
    def matching(self) -> SymbolMatching:
        """Return the matching state, made when it is first needed."""
        if self._matching is None:
            self._matching = SymbolMatching(self.listing, self.market, self.trader.settings.matching)
        return self._matching

    @property
    def active(self) -> SymbolMatching | None:
        """Return the matching state if there is one."""
        return self._matching

    # Placing

    def place(self, ticket: OrderTicket) -> ExchangeOrder:
        """Take an order or raise `ExchangeError`; what follows at once has happened when this returns."""
        order = self.judged(ticket)
        return self.submit(order)

    def judged(self, ticket: OrderTicket) -> ExchangeOrder:
        """Return the order that a ticket would become. Raises `ExchangeError` where form, filters or money say no."""
        rules.check_ordinary(ticket, self.trader.money.hedge_mode, self.context.now_ms)
        return self.affordable(ticket)

    def affordable(self, ticket: OrderTicket) -> ExchangeOrder:
        """Return the order of a ticket whose form is right. Raises `ExchangeError` for filters and money."""
        price = matched_price(ticket, self.market)
        order = new_order(ticket, price, self)
        rules.check_filters(replace(ticket, price=price), self.listing, self.context.marks.get(self.symbol) or ZERO)
        self._check_room(order)
        if not self.market.synced:
            raise refuse(-1112)
        reckoned = self._reckoned(order)
        raise_refusal(check_notional(
            self.context.contracts[self.symbol], order.quantity, order.price or self._reference(),
            reduce_only=order.reduce_only or order.close_position))
        if self.trader.liquidating:
            raise refuse(-2023)
        raise_refusal(self.trader.money.check_order(reckoned, self.context.marks))
        return order

    def submit(self, order: ExchangeOrder, accepted: Callable[[ExchangeOrder], None] | None = None) -> ExchangeOrder:
        """Let a judged order reach the book. Raises `ExchangeError` where the book refuses it: then nothing was."""
        reason = self.matching.submit(order, self.context.now_ns)
        if reason is not Reason.NONE:
            raise _refused(reason, order, self)
        self.context.take_order_id(self.symbol)
        if accepted is not None:
            accepted(order)
        self._keep(order)
        self.tell(order, "NEW")
        if order.good_till_date_ms:
            self.context.timers.at(order.good_till_date_ms * 1_000_000, self.expire)
        self.drain()
        return self.history.find(order.order_id, None) or order

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self.listing.symbol

    def _check_room(self, order: ExchangeOrder) -> None:
        if self.history.is_open(order.client_order_id):
            raise refuse(-4116)
        if len(self.history.open) >= self.listing.max_orders:
            raise refuse(-2025)

    def _reckoned(self, order: ExchangeOrder) -> ProposedOrder:
        ask, reference = self.market.book.best(Side.SELL), self._reference()
        price = assumed_price(
            order.side, order.price or None, ask or reference, self.market.last_price or reference, reference)
        return ProposedOrder(self.symbol, order.position_side, order.side, order.quantity, price, order.reduce_only)

    def _reference(self) -> Decimal:
        mark = self.market.mark_price
        if mark is None:
            raise refuse(-1112)
        return mark

    # Changing and ending

    def filling(self, order_id: int) -> bool:
        """Tell whether fills of an order are on the way, which comes too late to cancel or amend."""
        return self._staging.waits(order_id)

    def cancel(self, order: ExchangeOrder) -> ExchangeOrder:
        """Cancel an open order and return it as it is then. Raises `ExchangeError` -2011 where it is `filling`."""
        if self.filling(order.order_id):
            raise refuse(-2011)
        self.matching.cancel(order.order_id, self.context.now_ns)
        self.drain()
        return self.history.find(order.order_id, None) or order

    def amend(self, order: ExchangeOrder, price: Decimal, quantity: Decimal, modify_id: str) -> ExchangeOrder:
        """Give an open order a new price and quantity. Raises `ExchangeError` where that is not possible."""
        if self.filling(order.order_id):
            raise refuse(-2013)
        if quantity > order.executed_quantity:
            self._check_amended(order, price, quantity)
        reason = self.matching.amend(order.order_id, price, quantity, self.context.now_ns)
        if reason is not Reason.NONE:
            raise _refused(reason, order, self)
        if quantity > order.executed_quantity:
            changed = replace(
                order, price=price, quantity=quantity, update_time_ms=self.context.now_ms,
                amendments=order.amendments + 1)
            self._keep(changed)
            self.tell(changed, "AMENDMENT", modify_id=modify_id)
        self.drain()
        return self.history.find(order.order_id, None) or order

    def _check_amended(self, order: ExchangeOrder, price: Decimal, quantity: Decimal) -> None:
        raise_refusal(check_notional(
            self.context.contracts[self.symbol], quantity, price, reduce_only=order.reduce_only))
        money = self.trader.money
        money.drop_order(self.symbol, order.order_id)
        wanted = replace(order, price=price, quantity=quantity - order.executed_quantity)
        refusal = money.check_order(self._reckoned(wanted), self.context.marks)
        self._keep(order)
        raise_refusal(refusal)

    def end_all(self, ending: Ending) -> None:
        """End every open order for a reason of the exchange's, in the order of their ids."""
        self._staging.tell_all()
        for order in sorted(self.history.open.values(), key=lambda found: found.order_id):
            self.matching.cancel(order.order_id, self.context.now_ns)
            self.matching.outcomes()
            self._end(order, ending)

    def expire(self) -> None:
        """End the orders whose date has come."""
        self.matching.expire_until(self.context.now_ns)
        self.drain()

    # What the kernels tell

    def drain(self) -> None:
        """Let everything that the kernels have told become statuses, money and events."""
        matching = self._matching
        while matching is not None and matching.told:
            for outcome in matching.outcomes():
                if not (self.trader.stages or self._staging) or not self._stage(outcome):
                    self._take(outcome)

    def _stage(self, outcome: Outcome) -> bool:
        """Keep an outcome back where it was asked for that fills come in parts; those of the exchange's own do not."""
        if outcome.conditional or self._effects is not None:
            return False
        if self._staging.follow(outcome):
            return True
        stages = taken(self.trader.stages, self.symbol, outcome.kind)
        if stages is not None:
            self._staging.stage(outcome, stages, self.context.now_ns)
        return stages is not None

    def _take(self, outcome: Outcome) -> None:
        if outcome.conditional:
            self.on_conditional(outcome)
            return
        order = self.history.open.get(outcome.order_id)
        if order is None or outcome.kind in (OutputKind.ACCEPTED, OutputKind.AMENDED):
            return
        if outcome.kind is OutputKind.FILL:
            self.fill(order, outcome.price, outcome.quantity, maker=outcome.maker)
        elif outcome.kind is OutputKind.CANCELED:
            self._end(order, Ending("CANCELED", 0))
        else:
            self._end(order, cutoff(order) if outcome.reason is Reason.UNFILLED_REST else REASONS[outcome.reason])

    def collecting(self, effects: list[FillEffect] | None) -> None:
        """Collect what fills do to the money, for a liquidation, whose fills pay no fee; None ends it."""
        self._effects = effects

    def fill(
        self, order: ExchangeOrder, price: Decimal, quantity: Decimal, *, maker: bool, execution: str = "TRADE",
    ) -> None:
        """Book a fill of an order and tell of it."""
        now_ms, trade_id = self.context.now_ms, self.context.take_trade_id(self.symbol)
        rate = None if self._effects is None else ZERO
        effect = self.trader.money.apply_fill(Fill(
            self.symbol, order.position_side, order.side, quantity, price, maker, now_ms, str(trade_id), rate))
        if self._effects is not None:
            self._effects.append(effect)
        after = with_fill(order, self.listing, quantity, effect.value, now_ms)
        trade = _trade(after, trade_id, effect)
        self.history.trades.append(trade)
        self._keep(after)
        self._tell_fill(after, trade, effect, execution)
        self._closed(after)

    def _tell_fill(self, order: ExchangeOrder, trade: AccountTrade, effect: FillEffect, execution: str) -> None:
        if self.listing.product is Product.USDM:
            self._emit(payloads.trade_lite(order, trade, self.context.now_ms))
        position = self.trader.position_payload(self.symbol, order.position_side)
        self.trader.tell_account("ORDER", self.listing.product, [self.trader.balance(effect.pool)], [position])
        self.tell(order, execution, trade)

    def _end(self, order: ExchangeOrder, ending: Ending) -> None:
        after = replace(
            order, status=ending.status, expire_reason=ending.expire_reason, update_time_ms=self.context.now_ms)
        self._keep(after)
        self.tell(after, payloads.execution_type(ending.status))
        self._closed(after)

    def _closed(self, order: ExchangeOrder) -> None:
        if order.open:
            self.on_changed(order)
        else:
            self.on_closed(order)

    def _keep(self, order: ExchangeOrder) -> None:
        self.history.put(order)
        if order.open and order.type is OrderType.LIMIT:
            self.trader.money.put_order(OpenOrder(
                self.symbol, order.order_id, order.position_side, order.side, order.remaining, order.price,
                order.reduce_only))
        else:
            self.trader.money.drop_order(self.symbol, order.order_id)

    # Telling

    def tell(
        self, order: ExchangeOrder, execution: str, trade: AccountTrade | None = None, modify_id: str = "",
    ) -> None:
        """Send ORDER_TRADE_UPDATE."""
        totals = self.trader.money.state.open_orders.totals(self.symbol, order.position_side)
        notionals = totals.bid_value, totals.ask_value
        self._emit(payloads.order_update(order, execution, self.context.now_ms, notionals, trade, modify_id))

    def _emit(self, payload: payloads.Payload) -> None:
        self.context.emit(self.trader.name, self.listing.product, payload)


def _nobody(_: object) -> None:
    """Hear nothing."""


def _trade(order: ExchangeOrder, trade_id: int, effect: FillEffect) -> AccountTrade:
    fill = effect.fill
    return AccountTrade(
        order.account, order.product, order.symbol, order.pair, trade_id, order.order_id, order.side,
        order.position_side, fill.price, fill.quantity, effect.value, effect.realised_pnl, effect.commission,
        effect.asset, fill.maker, fill.time_ms, order.client_order_id)


def _refused(reason: Reason, order: ExchangeOrder, desk: Desk) -> ExchangeError:
    """Return the exchange's words for what the kernels refuse."""
    codes = {
        Reason.NO_BOOK: -1112, Reason.REDUCE_ONLY: -2022, Reason.POST_ONLY: -5022, Reason.NO_COUNTERPARTY: -4131,
        Reason.FILL_OR_KILL: -5021, Reason.DUPLICATE_ID: -4116, Reason.BAD_QUANTITY: -4003, Reason.BAD_PRICE: -4001,
        Reason.SAME_ORDER: -5027, Reason.UNKNOWN_ORDER: -2013, Reason.WOULD_TRIGGER: -2021,
    }
    if reason in (Reason.PRICE_TOO_HIGH, Reason.PRICE_TOO_LOW):
        mark = desk.context.marks.get(order.symbol) or ZERO
        bound = text(rules.price_bound(order.side, desk.listing, mark))
        return refuse(-4016 if reason is Reason.PRICE_TOO_HIGH else -4024, price=bound)
    return refuse(codes.get(reason, -2010))
