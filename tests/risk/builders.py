"""Builders of what risk's tests need: an engine with a market, intents that pass, and reports."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from risk.domain import BookTop, ExecutionReport, Fill, Order, OrderIntent, ReasonCode
from risk.engine import Decision, DecisionTimes, RiskEngine
from sluice.config.settings import LimitSettings
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, PositionSide, PriceMatch, ReportKind, SelfTradePrevention, Side, TimeInForce

BTC = "BINANCE_USDM:BTCUSDT"
ETH = "BINANCE_USDM:ETHUSDT"
COIN = "BINANCE_COINM:BTCUSD_PERP"
#: Wednesday, 2026-06-10 12:00 UTC.
NOON = 1_781_092_800_000_000_000
SECOND = 1_000_000_000
CATALOG = InstrumentCatalog.shipped()
BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(2)}
MARKS = {BTC: Decimal(50_000), ETH: Decimal(2_000), COIN: Decimal(50_000)}


def top(instrument: str, time_ns: int = NOON, price: Decimal | None = None, *, synced: bool = True) -> BookTop:
    """A book of one tick's width around a price, which is its mark."""
    mark = MARKS[instrument] if price is None else price
    tick = CATALOG.require(instrument).tick_size
    return BookTop(instrument, time_ns, mark - tick, mark + tick, mark, synced)


def limits(**changed: Any) -> LimitSettings:
    """Limits that leave room for what the tests do, whatever the shipped ones are."""
    roomy = {"max_position_notional": Decimal(50_000), "max_gross_exposure": Decimal(120_000)}
    return LimitSettings(**roomy | changed)


def engine(held_to: LimitSettings | None = None, *, observed: bool = True, **arguments: Any) -> RiskEngine:
    """An engine that has seen the market of three instruments at noon."""
    made = RiskEngine(CATALOG, held_to or limits(), arguments.pop("balances", BALANCES), **arguments)
    if observed:
        see(made, NOON)
    return made


def see(made: RiskEngine, time_ns: int, **prices: Decimal) -> None:
    """Let an engine observe all three instruments at a time; `BTC=Decimal(..)` and so on change a price."""
    names = {"BTC": BTC, "ETH": ETH, "COIN": COIN}
    tops = [top(key, time_ns, prices.get(name)) for name, key in names.items()]
    observation = made.observe(time_ns, tops)
    assert observation is not None
    made.accept(observation)


def order(instrument: str = BTC, side: Side | None = Side.BUY, quantity: str = "0.1", **changes: Any) -> Order:
    """A limit order at the mark price."""
    made = Order(
        instrument, side, PositionSide.BOTH, OrderType.LIMIT, TimeInForce.GTC, Decimal(quantity),
        price=MARKS.get(instrument, Decimal(1)), self_trade_prevention=SelfTradePrevention.EXPIRE_MAKER,
        price_match=PriceMatch.NONE)
    return replace(made, **changes)


def market_order(instrument: str = BTC, side: Side = Side.BUY, quantity: str = "0.1", **changes: Any) -> Order:
    """An order at the market."""
    return order(instrument, side, quantity, type=OrderType.MARKET, price=None, **changes)


def intent(wanted: Order, intent_id: str = "follow/1", time_ns: int = NOON, **changes: Any) -> OrderIntent:
    """An intent for an order, with an ATR small enough that sizing leaves it alone."""
    atr = None if wanted.reducing else Decimal(1)
    return replace(OrderIntent(intent_id, "follow", wanted, time_ns, atr), **changes)


def decide(
    made: RiskEngine, wanted: Order, intent_id: str = "follow/1", time_ns: int = NOON, **changes: Any
) -> Decision:
    """Decide on an order without letting it count."""
    return made.decide(
        intent(wanted, intent_id, time_ns, **changes), f"d-{intent_id}", DecisionTimes(time_ns, time_ns))


def approve(made: RiskEngine, wanted: Order, intent_id: str, time_ns: int = NOON) -> Decision:
    """Decide on an order, expect a yes and let it count."""
    decision = decide(made, wanted, intent_id, time_ns)
    assert decision.reasons == ()
    made.commit(decision)
    return decision


def codes(decision: Decision) -> set[ReasonCode]:
    """The codes of a decision's reasons."""
    return {reason.code for reason in decision.reasons}


def reporter() -> Callable[..., ExecutionReport]:
    """A maker of reports with sequences from 1."""
    sequence = iter(range(1, 1_000_000))

    def make(
        kind: ReportKind, decision: Decision, *, final: bool = False, fill: Fill | None = None
    ) -> ExecutionReport:
        wanted = decision.order
        return ExecutionReport(
            next(sequence), NOON, kind, decision.decision_id, wanted.instrument, wanted.side, final, fill)

    return make


def fill(quantity: str, price: str, fee: str = "0", fee_asset: str = "USDT") -> Fill:
    """A trade of ours."""
    return Fill(Decimal(quantity), Decimal(price), Decimal(fee), fee_asset)


def filled(made: RiskEngine, instrument: str, side: Side, quantity: str) -> None:
    """Give an engine a position at the mark price by a report of no decision of ours."""
    sequence = made.portfolio.report_sequence + 1
    asset = CATALOG.require(instrument).settlement_asset
    trade = Fill(Decimal(quantity), MARKS[instrument], Decimal(0), asset)
    made.apply_report(ExecutionReport(sequence, NOON, ReportKind.FILL, "", instrument, side, final=True, fill=trade))
