"""What the exchange does to accounts by itself: funding, margin calls, liquidation, and who takes over the rest.

Liquidation closes on the recorded book at the bankruptcy price or better; what the book does not take goes to the
insurance fund, or to the accounts of the other side (auto-deleveraging) where the fund cannot bear it.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from backtest.account import Account, Fill, FillEffect
from backtest.account.deleveraging import deleverage, fund_bears, ranking
from backtest.account.liquidation import ADL_PREFIX, AUTOCLOSE_PREFIX, Breach, LiquidationOrder
from backtest.exchange.core import payloads
from backtest.exchange.core.context import Context
from backtest.exchange.core.desk import Desk
from backtest.exchange.core.domain import ExchangeOrder, OrderTicket, Product
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.floor import Floor
from backtest.exchange.core.listings import PRODUCTS, VENUES
from backtest.exchange.core.ordering import LIQUIDATED, new_order
from backtest.exchange.core.trader import Trader
from sluice.decimals import ZERO
from sluice.instruments import Venue
from sluice.orders import OrderType, PositionSide, Side, TimeInForce

#: Maintenance margin by margin balance from which an account is warned.
_WARNING: Final = Decimal("0.8")


class Settlement:
    """Funding and liquidation of all accounts, with the insurance fund."""

    def __init__(self, context: Context, floor: Floor, fund: Mapping[Product, Mapping[str, Decimal]]) -> None:
        self._context = context
        self._floor = floor
        self.fund = Account(context.contracts)
        for product, balances in fund.items():
            for asset, amount in balances.items():
                self.fund.transfer((VENUES[product], asset), amount, {}, 0)

    # Funding

    def settle_funding(self, symbol: str, time_ms: int) -> None:
        """Pay funding at its time, once, at the rate that the tape last told; nothing where it told none."""
        market = self._context.market(symbol)
        rate, mark = market.funding_rate, market.mark_price
        if market.next_funding_ms != time_ms or rate is None or mark is None:
            return
        market.settled(rate, time_ms)
        for trader in self._floor.traders.values():
            self._fund(trader, symbol, rate, mark, time_ms)
        self.fund.apply_funding(symbol, rate, mark, time_ms)
        self.check(symbol)

    def _fund(self, trader: Trader, symbol: str, rate: Decimal, mark: Decimal, time_ms: int) -> None:
        product = self._context.listings[symbol].product
        for effect in trader.money.apply_funding(symbol, rate, mark, time_ms):
            # An isolated position's margin changed, so it is told with its wallet.
            rows = [trader.position_payload(symbol, effect.held.side)] if effect.isolated else []
            balance = trader.balance(effect.pool, effect.payment)
            trader.tell_account("FUNDING_FEE", product, [balance], rows, symbol)

    # Margins

    def check(self, symbol: str) -> None:
        """Look at every account with a position in a symbol: warn it, or liquidate what is to be liquidated."""
        for trader in list(self._floor.traders.values()):
            if trader.money.holds(symbol):
                self.check_trader(trader)

    def check_trader(self, trader: Trader) -> None:
        """Look at all wallets of an account."""
        marks = self._context.marks
        for pool in trader.money.pools:
            if not trader.money.breaches(pool, marks, _WARNING):
                trader.warned.discard(pool)
                continue
            self._warn(trader, pool)
            for breach in trader.money.breaches(pool, marks):
                self._liquidate(trader, breach)

    def _warn(self, trader: Trader, pool: tuple[Venue, str]) -> None:
        if pool in trader.warned:
            return
        figures = trader.money.figures(pool, self._context.marks)
        near = ZERO < figures.cross_maintenance_margin >= figures.cross_margin_balance * _WARNING
        rows = [row for row in figures.positions if row.held.quantity and not row.isolated] if near else []
        rows += [
            row for row in figures.positions
            if row.isolated and ZERO < row.maintenance_margin >= row.isolated_margin * _WARNING]
        trader.warned.add(pool)
        payload = payloads.margin_call(self._context.now_ms, figures.cross_wallet_balance, rows)
        self._context.emit(trader.name, PRODUCTS[pool[0]], payload)

    # Liquidation

    def _liquidate(self, trader: Trader, breach: Breach) -> None:
        money, now_ms = trader.money, self._context.now_ms
        plan = money.plan_liquidation(breach, self._context.marks)
        effects: list[FillEffect] = []
        trader.liquidating = True
        try:
            for symbol in plan.cancel_symbols:
                self._floor.desk(trader.name, symbol).end_all(LIQUIDATED)
            for order in plan.orders:
                self._close(trader, order, effects)
        finally:
            trader.liquidating = False
        settlement = money.settle_liquidation(plan, effects, now_ms)
        if settlement.to_fund:
            self.fund.insure(settlement.pool, settlement.to_fund, now_ms, breach.symbol or "")
            balance = trader.balance(settlement.pool, -settlement.to_fund)
            trader.tell_account("INSURANCE_CLEAR", PRODUCTS[settlement.pool[0]], [balance], [])

    def _close(self, trader: Trader, order: LiquidationOrder, effects: list[FillEffect]) -> None:
        desk = self._floor.desk(trader.name, order.symbol)
        desk.collecting(effects)
        left = order.quantity - self._close_on_book(desk, order)
        if left > ZERO:
            self._take_over(desk, order, left)
        desk.collecting(None)

    def _close_on_book(self, desk: Desk, order: LiquidationOrder) -> Decimal:
        ticket = OrderTicket(
            order.symbol, order.side, OrderType.LIMIT, order.quantity, order.bankruptcy_price, TimeInForce.IOC,
            order.position_side, client_order_id=self._client_id(desk, AUTOCLOSE_PREFIX))
        try:
            made = desk.submit(new_order(ticket, order.bankruptcy_price, desk))
        except ExchangeError:
            return ZERO  # The book is lost, or further away than PERCENT_PRICE allows: nothing is closed there.
        self._publish(made)
        return made.executed_quantity

    def _take_over(self, desk: Desk, order: LiquidationOrder, quantity: Decimal) -> None:
        """Close what the book did not take at the bankruptcy price, against the fund or the other side's accounts."""
        if not fund_bears(self.fund.state, order, quantity, self._context.marks):
            states = {name: trader.money.state for name, trader in self._floor.traders.items()}
            queue = ranking(states, order.symbol, self._context.marks, long=order.side is Side.BUY)
            closings, rest = deleverage([entry for entry in queue if entry.account != desk.trader.name], quantity)
            for closing in closings:
                other = self._floor.desk(closing.account, order.symbol)
                other.collecting([])
                self._exchange_made(other, order, closing.position_side, closing.side, closing.quantity, ADL_PREFIX)
                other.collecting(None)
            self._fund_takes(order, rest)
        else:
            self._fund_takes(order, quantity)
        made = self._exchange_made(desk, order, order.position_side, order.side, quantity, AUTOCLOSE_PREFIX)
        self._publish(made)

    def _publish(self, order: ExchangeOrder) -> None:
        """Tell everybody of a liquidation."""
        if order.executed_quantity > ZERO:
            payload = payloads.force_order(order, order.executed_quantity, self._context.now_ms)
            self._context.publish(order.symbol, payload)

    def _fund_takes(self, order: LiquidationOrder, quantity: Decimal) -> None:
        if quantity > ZERO:
            side = Side.BUY if order.side is Side.SELL else Side.SELL
            self.fund.apply_fill(Fill(
                order.symbol, PositionSide.BOTH, side, quantity, order.bankruptcy_price, maker=False,
                time_ms=self._context.now_ms, trade_id="", fee_rate=ZERO))

    def _exchange_made(
        self, desk: Desk, order: LiquidationOrder, position_side: PositionSide, side: Side, quantity: Decimal,
        prefix: str,
    ) -> ExchangeOrder:
        ticket = OrderTicket(
            order.symbol, side, OrderType.LIMIT, quantity, order.bankruptcy_price, TimeInForce.IOC, position_side,
            client_order_id=self._client_id(desk, prefix))
        made = new_order(ticket, order.bankruptcy_price, desk)
        self._context.take_order_id(order.symbol)
        desk.history.put(made)
        desk.tell(made, "NEW")
        desk.fill(replace(made), order.bankruptcy_price, quantity, maker=False, execution="CALCULATED")
        held = desk.trader.money.position(order.symbol, position_side)
        desk.matching.set_position(position_side, held.quantity)
        return desk.history.find(made.order_id, None) or made

    def _client_id(self, desk: Desk, prefix: str) -> str:
        dash = "" if prefix.endswith("-") else "-"
        return f"{prefix}{dash}{self._context.now_ms}{self._context.next_order_id(desk.symbol)}"[:36]
