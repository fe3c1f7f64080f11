"""Price protection, public liquidations, the history of margins, and funding where the market names none."""

from itertools import takewhile
from typing import Any

from backtest.account.income import IncomeKind
from backtest.exchange.core import Exchange, Product
from backtest.exchange.core.listings import listings_of
from backtest.exchange.serving.market_input import SyntheticInput
from backtest.synthetic.parameters import symbol_parameters
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, PositionSide, TriggerPrice
from tests.backtest.exchange.core.test_settlement import HOUR_MS, fallen
from tests.backtest.exchange.core.worlds import ASKS, BIDS, BUY, SELL, START_MS, D, World, ticket

STOP: dict[str, Any] = {
    "type": OrderType.STOP_MARKET, "stop_price": D(1100), "price_protect": True, "working_type": TriggerPrice.LAST}


def test_a_protected_order_waits_until_last_and_mark_have_come_together() -> None:
    world = World()
    algo = world.exchange.place_algo("ann", ticket(BUY, "1", **STOP))
    plain = world.exchange.place_algo("ann", ticket(BUY, "1", **STOP | {"price_protect": False}))

    world.trade("1100.0")
    statuses = [world.exchange.algo_order("ann", one.algo_id, None).status for one in (algo, plain)]
    assert statuses == ["NEW", "FINISHED"]
    world.mark("1090.0")
    assert world.exchange.algo_order("ann", algo.algo_id, None).status == "FINISHED"
    assert world.position() == D(2)


def test_a_protected_order_whose_trigger_has_passed_waits_for_it_anew() -> None:
    world = World()
    algo = world.exchange.place_algo("ann", ticket(BUY, "1", **STOP))

    world.trade("1100.0")
    world.trade("1000.0")
    world.mark("1090.0")
    assert world.exchange.algo_order("ann", algo.algo_id, None).status == "NEW"
    world.trade("1100.0")
    assert world.exchange.algo_order("ann", algo.algo_id, None).status == "FINISHED"


def test_a_protected_order_that_is_held_back_can_be_cancelled() -> None:
    world = World()
    algo = world.exchange.place_algo("ann", ticket(BUY, "1", **STOP))
    world.trade("1100.0")

    assert world.exchange.cancel_algo("ann", algo.algo_id, None).status == "CANCELED"
    world.mark("1090.0")
    assert world.exchange.algo_order("ann", algo.algo_id, None).status == "CANCELED"
    assert world.exchange.open_algo_orders("ann") == []
    world.exchange.set_position_mode("ann", hedge=True)


def test_everybody_hears_of_a_liquidation() -> None:
    world = World(balance="100", insurance="1000")
    heard = []
    world.exchange.public_events.append(lambda symbol, payload: heard.append((symbol, payload)))
    world.place(BUY, "1")

    fallen(world, "890.0")

    ((symbol, event),) = heard
    assert (symbol, event["e"], event["ps"], event["st"]) == ("BTCUSDT", "forceOrder", "BTCUSDT", 1)
    told = event["o"]
    assert (told["S"], told["f"], told["q"], told["z"], told["X"]) == ("SELL", "IOC", "1", "1", "FILLED")
    assert told["ap"] == told["p"]


def test_changes_of_margin_are_remembered_newest_first() -> None:
    world = World()
    world.exchange.set_margin_type("ann", "BTCUSDT", isolated=True)
    world.place(BUY, "1")
    for amount in ("25", "-5"):
        world.wait(1)
        world.exchange.adjust_position_margin("ann", "BTCUSDT", PositionSide.BOTH, D(amount))

    rows = world.exchange.margin_changes("ann", "BTCUSDT")
    assert [(row.asset, row.amount, row.side) for row in rows] == [
        ("USDT", D(-5), PositionSide.BOTH), ("USDT", D(25), PositionSide.BOTH)]
    assert world.exchange.margin_changes("ann", "BTCUSDT", end_ms=rows[1].time_ms) == rows[1:]
    assert world.exchange.margin_changes("ann", "ETHUSDT") == []


class MarklessWorld(World):
    """A market without a mark price."""

    def open_books(self) -> None:
        self.snapshot(BIDS, ASKS)
        self.depth()
        self.events.clear()


def test_funding_is_settled_where_the_market_names_none() -> None:
    world = MarklessWorld()
    world.place(SELL, "1")
    boundary = (START_MS // (8 * HOUR_MS) + 1) * 8 * HOUR_MS
    for at in (boundary, boundary + 8 * HOUR_MS):
        world.events.clear()
        world.wait(at - world.ms + 5)
        (event,) = world.heard("ACCOUNT_UPDATE")
        # A ten-thousandth of the middle of the book, 1000.05.
        assert (event["E"], event["a"]["m"], event["a"]["B"][0]["bc"]) == (at, "FUNDING_FEE", "0.100005")
        world.depth()
    assert [row.funding_rate for row in world.exchange.market("BTCUSDT").funding_history(9)] == [D("0.0001")] * 2


def test_funding_is_settled_in_a_synthetic_market() -> None:
    boundary_ns = (START_MS // (8 * HOUR_MS) + 1) * 8 * HOUR_MS * 1_000_000
    market = SyntheticInput([symbol_parameters("BTCUSDT", InstrumentCatalog.shipped())], 7, boundary_ns - 10**9, 0.0)
    exchange = Exchange(listings_of(InstrumentCatalog.shipped()))
    exchange.open_account("ann", {Product.USDM: {"USDT": D(1_000_000)}})
    for frame in takewhile(lambda frame: frame.receive_time_ns < boundary_ns + 10**9, market.frames()):
        exchange.on_frame(frame)
        if exchange.market("BTCUSDT").synced and not exchange.trades("ann"):
            exchange.place("ann", ticket(BUY, "0.1"))
    (row,) = [row for row in exchange.income("ann") if row.kind is IncomeKind.FUNDING_FEE]
    assert (row.time_ms, row.amount < 0) == (boundary_ns // 1_000_000, True)
