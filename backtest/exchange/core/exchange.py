"""The exchange: the one object that servers, venues and tests talk to.

Time moves by `on_frame` and `advance_to`, never back. Every method that changes something can be written down as a
command (`command_listeners`) and done again by `backtest.exchange.core.commands`. Refusals are `ExchangeError`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from backtest.account import FeeRates, Income
from backtest.exchange.core import commands, queries
from backtest.exchange.core.accounts import AccountSettings
from backtest.exchange.core.amending import amended
from backtest.exchange.core.asking import Asking
from backtest.exchange.core.context import Context
from backtest.exchange.core.countdowns import Countdowns
from backtest.exchange.core.domain import (
    AlgoOrder,
    ExchangeOrder,
    Listing,
    OrderTicket,
    Product,
)
from backtest.exchange.core.floor import Floor
from backtest.exchange.core.market import BookChange, MarkChange
from backtest.exchange.core.settlement import Settlement
from backtest.exchange.core.staging import Stages
from backtest.exchange.core.symbol_matching import FillModel
from backtest.exchange.core.trader import TraderSettings
from dataflows.codecs import binance
from dataflows.tapes.frames import Frame
from sluice.clock import NS_PER_MS
from sluice.instruments import Venue
from sluice.orders import PositionSide, PriceMatch, Side

#: Where a tape has no mark price, margins are looked at this often instead of at every mark.
_MARGIN_CHECK_MS = 1000


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """What is configurable about an exchange. `fees` replace the tiers, `insurance` is the fund at the beginning.

    `funding_rate` is that of perpetual contracts whose market names none, settled at every full interval of UTC.
    """

    matching: FillModel = field(default_factory=FillModel)
    funding_rate: Decimal = Decimal("0.0001")
    fees: dict[Venue, FeeRates] | None = None
    insurance: Mapping[Product, Mapping[str, Decimal]] = field(default_factory=dict)


class Exchange(Asking):
    """The state machine. Accounts are names; each has wallets of both products."""

    def __init__(self, listings: Iterable[Listing], settings: ExchangeSettings | None = None) -> None:
        chosen = settings or ExchangeSettings()
        context = Context(listings)
        super().__init__(context, Floor(context, TraderSettings(chosen.matching, chosen.fees)))
        self._funding_rate = chosen.funding_rate
        self._settlement = Settlement(self._context, self._floor, chosen.insurance)
        self._accounts = AccountSettings(self._context, self._floor)
        self._countdowns = Countdowns(self._context, self._floor)
        self._funding_ms: dict[str, int] = {}
        self._checked_ms: dict[str, int] = {}
        self.frames_played = 0
        self.command_listeners: list[Callable[[commands.Command], None]] = []

    # Time and market

    def on_frame(self, frame: Frame) -> None:
        """Play a recorded frame, received now; what was to happen before it happens first."""
        self.frames_played += 1
        self.advance_to(frame.receive_time_ns)
        symbol = binance.symbol_of(frame.payload, frame.symbol_hint)
        market = self._context.markets.get(symbol) if symbol is not None else None
        if market is None or symbol is None:
            return
        change = market.on_frame(frame.payload, self._context.now_ms)
        if change is None:
            return
        self._floor.on_change(symbol, change)
        if isinstance(change, MarkChange):
            self._arm_funding(symbol, market.next_funding_ms)
            self._settlement.check(symbol)
        elif isinstance(change, BookChange) and not market.has_mark:
            market.assume_funding(self._funding_rate)
            self._arm_funding(symbol, market.next_funding_ms)
            self._check_now_and_then(symbol)

    def advance_to(self, time_ns: int) -> None:
        """Let time pass; what was to happen until then happens, each at its own time."""
        context = self._context
        while context.timers.due(time_ns):
            due_ns, action = context.timers.pop()
            context.now_ns = max(context.now_ns, due_ns)
            action()
        context.now_ns = max(context.now_ns, time_ns)

    def _arm_funding(self, symbol: str, funding_ms: int) -> None:
        if self._funding_ms.get(symbol) != funding_ms and funding_ms > self._context.now_ms:
            self._funding_ms[symbol] = funding_ms
            self._context.timers.at(
                funding_ms * NS_PER_MS, lambda: self._settlement.settle_funding(symbol, funding_ms))

    def _check_now_and_then(self, symbol: str) -> None:
        if self._context.now_ms >= self._checked_ms.get(symbol, 0) + _MARGIN_CHECK_MS:
            self._checked_ms[symbol] = self._context.now_ms
            self._settlement.check(symbol)

    # Accounts

    def open_account(self, account: str, balances: Mapping[Product, Mapping[str, Decimal]]) -> None:
        """Open an account with balances by product and asset; where it is open, that is a deposit."""
        self._note(commands.OpenAccount(
            account=account, balances={product.value: dict(assets) for product, assets in balances.items()}))
        trader = self._floor.open(account)
        for product, assets in balances.items():
            for asset, amount in assets.items():
                trader.deposit(product, asset, amount)

    def income(self, account: str, product: Product | None = None) -> Sequence[Income]:
        """Return the income rows of a product or of both, oldest first."""
        return self._accounts.income(account, product)

    def adl_quantile(self, account: str, symbol: str, side: PositionSide) -> int:
        """Return the light of auto-deleveraging of a position, 0 (last in turn) to 4."""
        return self._accounts.adl_quantile(account, symbol, side)

    def set_leverage(self, account: str, symbol: str, leverage: int) -> int:
        """Change a symbol's leverage and return it."""
        self._note(commands.SetLeverage(account=account, symbol=symbol, leverage=leverage))
        return self._accounts.set_leverage(account, symbol, leverage)

    def set_margin_type(self, account: str, symbol: str, isolated: bool) -> None:
        """Change a symbol between cross and isolated margin."""
        self._note(commands.SetMarginType(account=account, symbol=symbol, isolated=isolated))
        self._accounts.set_margin_type(account, symbol, isolated=isolated)

    def set_position_mode(self, account: str, hedge: bool, product: Product | None = None) -> None:
        """Change between one-way and hedge mode, of both products; `product` is the one that was asked."""
        self._note(commands.SetPositionMode(account=account, hedge=hedge, product=product))
        self._accounts.set_position_mode(account, hedge=hedge, product=product)

    def set_multi_assets(self, account: str, enabled: bool) -> None:
        """Change the multi-assets mode; only the single-asset mode is simulated, so turning it on is refused."""
        self._note(commands.SetMultiAssets(account=account, enabled=enabled))
        self._accounts.set_multi_assets(account, enabled=enabled)

    def adjust_position_margin(self, account: str, symbol: str, position_side: PositionSide, amount: Decimal) -> None:
        """Add margin to an isolated position, or (negative) take some out."""
        self._note(commands.AdjustPositionMargin(
            account=account, symbol=symbol, position_side=position_side, amount=amount))
        self._accounts.adjust_position_margin(account, symbol, position_side, amount)

    # Orders. An order is named by its id, or else by its client order id.

    def place(self, account: str, ticket: OrderTicket) -> ExchangeOrder:
        """Take an order and return it as it is after all that followed at once."""
        self._note(commands.Place(account=account, ticket=ticket))
        return self._floor.desk(account, ticket.symbol).place(ticket)

    def check(self, account: str, ticket: OrderTicket) -> ExchangeOrder:
        """Judge an order as `place` does without placing it; return what it would be."""
        return self._floor.desk(account, ticket.symbol).judged(ticket)

    def amend(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None, side: Side | None,
        price: Decimal | None, quantity: Decimal | None, modify_id: str = "", price_match: PriceMatch | None = None,
    ) -> ExchangeOrder:
        """Change an open limit order; it loses its place in the queue. None leaves price or quantity as it is."""
        self._note(commands.Amend(
            account=account, symbol=symbol, order_id=order_id, client_order_id=client_order_id, side=side, price=price,
            quantity=quantity, modify_id=modify_id, price_match=price_match))
        desk = self._floor.desk(account, symbol)
        order = queries.find_open(desk, order_id, client_order_id, -2013)
        return amended(desk, order, side, price, quantity, modify_id, price_match)

    def cancel(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None,
    ) -> ExchangeOrder:
        """Cancel an open order. Raises `ExchangeError` -2011 where there is none."""
        self._note(commands.Cancel(
            account=account, symbol=symbol, order_id=order_id, client_order_id=client_order_id))
        desk = self._floor.desk(account, symbol)
        return desk.cancel(queries.find_open(desk, order_id, client_order_id, -2011))

    def cancel_all(self, account: str, symbol: str) -> Sequence[ExchangeOrder]:
        """Cancel every ordinary order of a symbol, in the order of their ids."""
        self._note(commands.CancelAll(account=account, symbol=symbol))
        return self._countdowns.cancel_all(account, symbol)

    def countdown(self, account: str, symbol: str, milliseconds: int) -> None:
        """Cancel a symbol's ordinary orders after a time unless this comes again before; 0 stops it."""
        self._note(commands.Countdown(account=account, symbol=symbol, milliseconds=milliseconds))
        self._countdowns.set(account, symbol, milliseconds)

    def stage_fills(self, account: str, stages: Stages | None) -> None:
        """Let coming fills of an account be told late and in parts, as a fault; None ends it for fills to come."""
        self._note(commands.StageFills(account=account, stages=stages))
        trader = self._floor.trader(account)
        if stages is None:
            trader.stages.clear()
        else:
            trader.stages.append(stages)

    # Conditional orders

    def place_algo(self, account: str, ticket: OrderTicket) -> AlgoOrder:
        """Let a conditional order wait for its trigger."""
        self._note(commands.PlaceAlgo(account=account, ticket=ticket))
        return self._floor.conditional(account, ticket.symbol).place(ticket)

    def cancel_algo(self, account: str, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
        """Cancel a conditional order. Raises `ExchangeError` -2011 where none waits."""
        self._note(commands.CancelAlgo(account=account, algo_id=algo_id, client_algo_id=client_algo_id))
        return self._countdowns.cancel_algo(account, algo_id, client_algo_id)

    def cancel_all_algo(self, account: str, symbol: str) -> Sequence[AlgoOrder]:
        """Cancel every conditional order of a symbol that waits."""
        self._note(commands.CancelAllAlgo(account=account, symbol=symbol))
        desk = self._floor.conditional(account, symbol)
        return [desk.cancel(algo) for algo in desk if algo.open]

    def algo_order(self, account: str, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
        """Return a conditional order. Raises `ExchangeError` -2013."""
        return self._countdowns.find_algo(account, algo_id, client_algo_id, -2013)[1]

    def _note(self, command: commands.Command) -> None:
        if self.command_listeners:
            stamped = commands.stamped(command, self.frames_played, self._context.now_ns)
            for listener in self.command_listeners:
                listener(stamped)
