"""An exchange is a function of its frames and commands; whatever comes, statuses are legal and money is conserved."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.exchange.core import Exchange, ExchangeError, Product, UserEvent
from backtest.exchange.core.commands import Command, decode, encode, rebuild
from backtest.exchange.core.exchange import ExchangeSettings
from backtest.exchange.core.listings import flat_fees, listings_of
from dataflows.tapes.frames import Frame
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, SelfTradePrevention, Side, TimeInForce, TriggerPrice
from tests.backtest.exchange.core.worlds import LIMIT, MARKET, D, World, ticket

LEGAL = {
    ("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED"), ("CANCELED", "CANCELED"),
    ("EXPIRED", "EXPIRED"), ("EXPIRED", "EXPIRED_IN_MATCH"), ("AMENDMENT", "NEW"), ("AMENDMENT", "PARTIALLY_FILLED"),
    ("CALCULATED", "FILLED"),
}
ENDED = {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
ALGO_STEPS = {
    None: {"NEW"}, "NEW": {"NEW", "TRIGGERING", "CANCELED", "EXPIRED"},
    "TRIGGERING": {"TRIGGERED", "REJECTED", "EXPIRED"}, "TRIGGERED": {"FINISHED"},
}

prices = st.integers(9_990, 10_012).map(lambda ticks: str(Decimal(ticks) / 10))
quantities = st.integers(100, 6_000).map(lambda lots: str(Decimal(lots) / 1000))
sides = st.sampled_from(list(Side))

placing = st.builds(
    lambda side, quantity, price, tif, reduce, stp: ("place", ticket(
        side, quantity, price, type=MARKET if price is None else LIMIT,
        time_in_force=None if price is None else tif, reduce_only=reduce or None, self_trade_prevention=stp)),
    sides, quantities, st.none() | prices,
    st.sampled_from([TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX]),
    st.booleans(), st.sampled_from(list(SelfTradePrevention)))
waiting = st.builds(
    lambda side, quantity, trigger, kind, working: ("algo", ticket(
        side, quantity, trigger if kind is OrderType.STOP else None, type=kind, time_in_force=None,
        stop_price=D(trigger), working_type=working)),
    sides, quantities, prices, st.sampled_from([OrderType.STOP, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET]),
    st.sampled_from(list(TriggerPrice)))
market = st.one_of(
    st.tuples(st.just("trade"), prices, quantities, st.booleans()),
    st.tuples(st.just("bids"), st.dictionaries(prices, quantities | st.just("0"), max_size=4)),
    st.tuples(st.just("asks"), st.dictionaries(prices, quantities | st.just("0"), max_size=4)),
    st.tuples(st.just("mark"), prices),
    st.tuples(st.just("wait"), st.integers(0, 5_000)))
others = st.one_of(
    st.tuples(st.just("cancel"), st.integers(1, 12)),
    st.tuples(st.just("amend"), st.integers(1, 12), prices, quantities),
    st.tuples(st.just("cancel_all")), st.tuples(st.just("countdown"), st.integers(0, 3_000)),
    st.tuples(st.just("cancel_algo"), st.integers(1, 6)), st.tuples(st.just("leverage"), st.integers(1, 125)))
stories = st.lists(placing | waiting | market | others, max_size=40)


def tell(world: World, step: tuple[Any, ...]) -> None:
    exchange = world.exchange
    actions: dict[str, Any] = {
        "place": lambda wanted: exchange.place("ann", wanted),
        "algo": lambda wanted: exchange.place_algo("ann", wanted),
        "cancel": lambda number: exchange.cancel("ann", "BTCUSDT", number, None),
        "amend": lambda number, price, quantity: exchange.amend(
            "ann", "BTCUSDT", number, None, None, D(price), D(quantity)),
        "cancel_all": lambda: exchange.cancel_all("ann", "BTCUSDT"),
        "countdown": lambda milliseconds: exchange.countdown("ann", "BTCUSDT", milliseconds),
        "cancel_algo": lambda number: exchange.cancel_algo("ann", number, None),
        "leverage": lambda leverage: exchange.set_leverage("ann", "BTCUSDT", leverage),
        "trade": lambda price, quantity, sold: world.trade(price, quantity, sold=sold),
        "bids": lambda levels: world.depth(bids=list(levels.items())),
        "asks": lambda levels: world.depth(asks=list(levels.items())),
        "mark": world.mark, "wait": world.wait,
    }
    try:
        actions[step[0]](*step[1:])
    except ExchangeError as refusal:
        assert refusal.code < 0


def told(balance: str, story: list[tuple[Any, ...]]) -> tuple[World, list[Command]]:
    log: list[Command] = []
    world = World(accounts=(), insurance="5000")
    world.exchange.command_listeners.append(log.append)
    world.exchange.open_account("ann", {Product.USDM: {"USDT": D(balance)}})
    for step in story:
        tell(world, step)
    world.exchange.cancel_all("ann", "BTCUSDT")
    return world, log


@given(stories, st.sampled_from(["150", "1000", "100000"]))
@settings(max_examples=60, deadline=None)
def test_statuses_are_legal_and_quantity_and_money_are_conserved(story: list[tuple[Any, ...]], balance: str) -> None:
    world, _ = told(balance, story)

    by_order: dict[int, list[dict[str, Any]]] = {}
    for event in world.heard():
        assert (event["o"]["x"], event["o"]["X"]) in LEGAL
        by_order.setdefault(event["o"]["i"], []).append(event["o"])
    for steps in by_order.values():
        assert steps[0]["x"] == "NEW"
        assert all(step["X"] not in ENDED for step in steps[:-1])
        filled = sum((D(step["l"]) for step in steps), D(0))
        assert filled == D(steps[-1]["z"]) <= D(steps[-1]["q"])
    trades = world.exchange.trades("ann", limit=10_000)
    assert sum((trade.quantity * trade.side.sign for trade in trades), D(0)) == world.position()
    income = world.exchange.income("ann", Product.USDM)
    assert sum((row.amount for row in income), D(0)) == world.wallet()
    last: dict[int, str] = {}
    for event in world.heard("ALGO_UPDATE"):
        algo = event["o"]
        assert algo["X"] in ALGO_STEPS[last.get(algo["aid"])]
        last[algo["aid"]] = algo["X"]


@given(stories)
@settings(max_examples=30, deadline=None)
def test_rebuilt_from_its_log_an_exchange_is_the_same(story: list[tuple[Any, ...]]) -> None:
    world, log = told("1000", story)
    again = fresh()
    heard: list[UserEvent] = []
    again.user_events.append(heard.append)

    rebuild(again, iter(world.frames), [decode(encode(command)) for command in log])
    for frame in world.frames[again.frames_played:]:
        again.on_frame(frame)

    opening = [event for event in heard if event.payload.get("a", {}).get("m") == "DEPOSIT"]
    assert [event for event in heard if event not in opening] == [
        event for event in world.events if event.payload.get("a", {}).get("m") != "DEPOSIT"]
    assert again.all_orders("ann") == world.exchange.all_orders("ann")
    assert again.income("ann") == world.exchange.income("ann")
    assert again.now_ns <= world.exchange.now_ns


def fresh() -> Exchange:
    return Exchange(
        listings_of(InstrumentCatalog.shipped()),
        ExchangeSettings(fees=flat_fees(D("0.0002"), D("0.0005")), insurance={Product.USDM: {"USDT": D(5000)}}))


def test_log_of_another_tape_is_refused() -> None:
    world, log = told("1000", [("trade", "1000.0", "1", False), ("cancel_all",)])
    none: Iterator[Frame] = iter(())

    with pytest.raises(InputError, match="fit its tape"):
        rebuild(fresh(), none, log)
    assert world.frames


@pytest.mark.parametrize("line", [b"", b"{}", b'{"type":"Place"}', b'{"type":"Nothing","account":"a"}', b"\xff"])
def test_line_that_is_no_command_is_refused(line: bytes) -> None:
    with pytest.raises(InputError, match="must be a command"):
        decode(line)
