"""Money from end to end: what orders, funding and liquidations do to wallets, and that all that is told agrees."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account import IncomeKind
from backtest.exchange.core.domain import Product
from backtest.exchange.core.errors import ExchangeError
from dataflows.tapes.frames import Frame
from sluice.decimals import ZERO
from sluice.orders import PositionSide, Side
from tests.backtest.exchange.core.money_world import (
    ASSET_OF,
    HOUR_MS,
    PRODUCT_OF,
    START_MS,
    SYMBOLS,
    D,
    World,
)

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def world() -> World:
    made = World()
    for symbol, price in (("BTCUSDT", 50000), ("ETHUSDT", 2000), ("BTCUSD_PERP", 50000)):
        made.move(symbol, price)
    return made


def test_round_trip_costs_its_fees_and_earns_its_move(world: World) -> None:
    world.open("alice", usdt="10000")
    world.market_order("alice", BUY, "0.1")
    world.move("BTCUSDT", 51000)
    world.market_order("alice", SELL, "0.1")
    bought, sold = world.fills("alice")
    assert (bought["L"], bought["n"], bought["N"], bought["rp"]) == ("50000.1", "2.500005", "USDT", "0")
    assert (sold["L"], sold["n"], sold["rp"]) == ("50999.9", "2.549995", "99.98")
    assert world.wallet("alice") == D("10000") + D("99.98") - D("2.500005") - D("2.549995")
    assert world.told("alice", "ACCOUNT_UPDATE")[-1]["a"]["B"] == [
        {"a": "USDT", "wb": "10094.93", "cw": "10094.93", "bc": "0"}]


def test_coin_margined_round_trip_is_paid_in_coin(world: World) -> None:
    world.open("alice", btc="1")
    world.market_order("alice", SELL, 100, "BTCUSD_PERP")
    world.move("BTCUSD_PERP", 40000)
    world.market_order("alice", BUY, 100, "BTCUSD_PERP")
    sold, bought = world.fills("alice")
    assert (sold["N"], sold["rp"]) == ("BTC", "0")
    # 10000 / 40000.1 - 10000 / 49999.9, to 8 decimals.
    assert D(bought["rp"]) == (10000 / D("40000.1") - 10000 / D("49999.9")).quantize(D("1e-8"))
    assert world.wallet("alice", Product.COINM) == 1 + D(bought["rp"]) - D(sold["n"]) - D(bought["n"])


def test_resting_order_pays_the_makers_fee(world: World) -> None:
    world.open("alice", usdt="10000")
    world.limit_order("alice", BUY, "0.1", "49950")
    world.move("BTCUSDT", 49900)
    fill, = world.fills("alice")
    assert (fill["m"], fill["n"], fill["L"]) == (True, "0.999", "49950")


def test_order_that_does_not_fit_is_refused_and_changes_nothing(world: World) -> None:
    world.open("alice", usdt="1000")
    for quantity, code in (("0.5", -2019), ("0.001", -4164)):
        with pytest.raises(ExchangeError) as refused:
            world.market_order("alice", BUY, quantity)
        assert refused.value.code == code
    world.exchange.set_leverage("alice", "BTCUSDT", 125)
    with pytest.raises(ExchangeError) as refused:
        world.limit_order("alice", BUY, "2.1", "50000")
    assert refused.value.code == -2027
    assert world.fills("alice") == []
    assert world.wallet("alice") == D(1000)


def test_open_orders_claim_margin_until_they_are_cancelled(world: World) -> None:
    world.open("alice", usdt="1000")
    world.limit_order("alice", BUY, "0.2", "48000")
    order = world.limit_order("alice", BUY, "0.2", "49000")
    figures, = world.exchange.account_state("alice", Product.USDM).pools
    assert figures.open_order_initial_margin == D(970)
    with pytest.raises(ExchangeError) as refused:
        world.limit_order("alice", BUY, "0.1", "49000")
    assert refused.value.code == -2019
    world.exchange.cancel("alice", "BTCUSDT", order.order_id, None)
    assert world.exchange.account_state("alice", Product.USDM).pools[0].open_order_initial_margin == D(480)
    world.limit_order("alice", BUY, "0.1", "49000")
    world.exchange.cancel_all("alice", "BTCUSDT")
    assert world.exchange.account_state("alice", Product.USDM).pools[0].available_balance == D(1000)


def test_funding_is_paid_once_at_its_time_to_and_from_both_sides(world: World) -> None:
    for name, side in (("long", BUY), ("short", SELL)):
        world.open(name, usdt="10000")
        world.market_order(name, side, "0.1")
    world.mark("BTCUSDT", 50000, rate="0.0002")
    before = {name: world.wallet(name) for name in ("long", "short")}
    world.exchange.advance_to((START_MS + 8 * HOUR_MS) * 1_000_000 - 1)
    assert world.wallet("long") == before["long"]
    world.exchange.advance_to((START_MS + 9 * HOUR_MS) * 1_000_000)
    assert world.wallet("long") == before["long"] - 1
    assert world.wallet("short") == before["short"] + 1
    row = world.rows("long")[-1]
    assert (row.kind, row.amount, row.time_ms) == (IncomeKind.FUNDING_FEE, D(-1), START_MS + 8 * HOUR_MS)
    told, = (p["a"] for p in world.told("long", "ACCOUNT_UPDATE") if p["a"]["m"] == "FUNDING_FEE")
    assert (told["B"][0]["bc"], told["P"]) == ("-1", [])


def test_funding_of_an_isolated_position_is_told_with_the_position(world: World) -> None:
    world.open("alice", usdt="10000")
    world.exchange.set_margin_type("alice", "BTCUSDT", isolated=True)
    world.market_order("alice", BUY, "0.1")
    world.exchange.advance_to((START_MS + 8 * HOUR_MS) * 1_000_000)
    told, = (p["a"] for p in world.told("alice", "ACCOUNT_UPDATE") if p["a"]["m"] == "FUNDING_FEE")
    assert D(told["P"][0]["iw"]) == D("250.0005") - D("0.5")


def test_long_is_warned_then_liquidated_on_the_book_and_the_fee_takes_what_is_left(world: World) -> None:
    world.open("alice", usdt="2550")
    world.market_order("alice", BUY, 1)
    world.limit_order("alice", BUY, "0.01", "45000")
    before, fund = world.wallet("alice"), world.fund()
    world.move("BTCUSDT", 47700)
    assert len(world.told("alice", "MARGIN_CALL")) == 1
    assert world.quantity("alice") == D(1)
    world.move("BTCUSDT", 47660)
    assert world.quantity("alice") == ZERO
    assert world.exchange.open_orders("alice") == []
    closing = world.fills("alice")[-1]
    assert closing["c"].startswith("autoclose-")
    assert (closing["n"], closing["L"], closing["X"]) == ("0", "47659.9", "FILLED")
    left = before + D(closing["rp"])
    assert left > ZERO
    # The liquidation fee of 1.25 % would be more than what is left.
    assert world.wallet("alice") == ZERO
    assert world.fund() == fund + left
    assert world.rows("alice")[-1].kind is IncomeKind.INSURANCE_CLEAR


def test_position_that_the_book_does_not_take_goes_to_the_fund(world: World) -> None:
    world.open("alice", usdt="2550")
    world.market_order("alice", BUY, 1)
    fund = world.fund()
    # The market has fallen through the bankruptcy price of about 47475.
    world.move("BTCUSDT", 46000)
    assert world.quantity("alice") == ZERO
    assert world.wallet("alice") == ZERO
    last = [p["o"] for p in world.told("alice", "ORDER_TRADE_UPDATE")][-1]
    assert (last["x"], last["X"]) == ("CALCULATED", "FILLED")
    held = world.exchange._settlement.fund.position("BTCUSDT", PositionSide.BOTH)
    assert held.quantity == D(1)
    # Rounding to the tick leaves less than a tick's worth, which the fund gets.
    assert ZERO <= world.fund() - fund <= D("0.1")


def test_where_the_fund_is_empty_the_winners_are_deleveraged() -> None:
    world = World(fund="1")
    world.move("BTCUSDT", 50000)
    world.open("loser", usdt="2550")
    world.open("bold", usdt="2600")
    world.open("calm", usdt="90000")
    world.market_order("loser", BUY, 1)
    world.market_order("bold", SELL, "0.7")
    world.market_order("calm", SELL, "0.7")
    names = ("loser", "bold", "calm")
    world.book("BTCUSDT", [(45999.9, 1000)], [(46000.1, 1000)])
    before = sum((world.wallet(name) for name in names), world.fund())
    world.mark("BTCUSDT", 46000)
    assert [world.quantity(name) for name in names] == [ZERO, ZERO, D("-0.4")]
    forced = world.fills("bold")[-1]
    assert forced["c"].startswith("adl_autoclose")
    assert (forced["n"], D(forced["rp"]) > ZERO) == ("0", True)
    realised = sum((D(fill["rp"]) for name in names for fill in world.fills(name)), ZERO)
    after = sum((world.wallet(name) for name in names), world.fund())
    # Nobody paid a fee; what loser, bold and calm realised is all that changed, and the fund took a fraction of a tick.
    assert after == before + realised
    assert world.wallet("loser") == ZERO


def test_isolated_liquidation_takes_the_positions_margin_alone(world: World) -> None:
    world.open("alice", usdt="10000")
    world.exchange.set_margin_type("alice", "BTCUSDT", isolated=True)
    world.market_order("alice", BUY, "0.1")
    world.market_order("alice", BUY, 1, "ETHUSDT")
    cross = world.exchange.account_state("alice", Product.USDM).pools[0].cross_wallet_balance
    world.move("BTCUSDT", 46000)
    assert world.quantity("alice") == ZERO
    assert world.quantity("alice", "ETHUSDT") == D(1)
    assert world.wallet("alice") == cross


def test_inverse_short_is_liquidated_in_coin(world: World) -> None:
    world.open("alice", btc="0.11")
    world.market_order("alice", SELL, 1000, "BTCUSD_PERP")
    world.move("BTCUSD_PERP", 53000)
    assert world.quantity("alice", "BTCUSD_PERP") == ZERO
    assert world.wallet("alice", Product.COINM) == ZERO


def test_hedged_account_is_liquidated_on_both_sides(world: World) -> None:
    world.open("alice", usdt="2600")
    world.exchange.set_position_mode("alice", hedge=True)
    world.market_order("alice", BUY, "0.9", position_side=PositionSide.LONG)
    world.market_order("alice", SELL, "0.1", position_side=PositionSide.SHORT)
    world.move("BTCUSDT", 46500)
    for side in (PositionSide.LONG, PositionSide.SHORT):
        assert world.quantity("alice", "BTCUSDT", side) == ZERO
    assert world.wallet("alice") >= ZERO


def test_withdrawal_leaves_what_positions_claim(world: World) -> None:
    world.open("alice", usdt="3000")
    world.market_order("alice", BUY, 1)
    with pytest.raises(ExchangeError):
        world.open("alice", usdt="-500")
    world.open("alice", usdt="-400")
    assert world.wallet("alice") == 2600 - D("25.00005")


steps = st.lists(st.one_of(
    st.tuples(st.just("market"), st.sampled_from(SYMBOLS), st.sampled_from([BUY, SELL]), st.integers(1, 300)),
    st.tuples(st.just("limit"), st.sampled_from(SYMBOLS), st.sampled_from([BUY, SELL]), st.integers(1, 300),
              st.integers(-50, 50)),
    st.tuples(st.just("move"), st.sampled_from(SYMBOLS), st.integers(-1500, 1500)),
    st.tuples(st.just("cancel"), st.sampled_from(SYMBOLS)),
    st.tuples(st.just("wait"), st.integers(1, 9)),
), max_size=25)


def played(world: World, drawn: list[tuple[object, ...]], names: tuple[str, ...]) -> None:
    """Play drawn steps; the accounts take turns. Refusals are passed over."""
    prices = {"BTCUSDT": D(50000), "ETHUSDT": D(2000), "BTCUSD_PERP": D(50000)}
    for number, (what, *rest) in enumerate(drawn):
        name = names[number % len(names)]
        if what == "wait":
            world.now_ms += int(str(rest[0])) * HOUR_MS
            world.exchange.advance_to(world.now_ms * 1_000_000)
            continue
        symbol = str(rest[0])
        if what == "move":
            prices[symbol] = (prices[symbol] * (1 + D(str(rest[1])) / 10000)).quantize(D("0.1"))
            world.move(symbol, prices[symbol])
            continue
        try:
            if what == "cancel":
                world.exchange.cancel_all(name, symbol)
                continue
            side, lots = rest[1], int(str(rest[2]))
            assert isinstance(side, Side)
            quantity = lots if symbol == "BTCUSD_PERP" else D(lots) / 100
            if what == "market":
                world.market_order(name, side, quantity, symbol)
            else:
                ticks = int(str(rest[3]))
                world.limit_order(name, side, quantity, prices[symbol] + ticks * D("0.1"), symbol)
        except ExchangeError:
            continue


def test_market_that_is_written_with_blanks_is_read_as_well(world: World) -> None:
    world.now_ms += 1
    world.exchange.on_frame(Frame(0, world.now_ms * 1_000_000, (
        b'{"stream": "btcusdt@markPrice", "data": {"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "47000"}}'),
        "BTCUSDT"))
    assert world.exchange.market("BTCUSDT").premium().mark_price == D(47000)


def signed_fills(world: World, name: str, symbol: str) -> Decimal:
    return sum((D(f["l"]) * (1 if f["S"] == "BUY" else -1) for f in world.fills(name) if f["s"] == symbol), ZERO)


@given(steps, st.booleans())
def test_all_that_is_told_of_an_accounts_money_agrees(drawn: list[tuple[object, ...]], isolated: bool) -> None:
    world = World(fund="100")
    names = ("one", "two")
    for symbol, price in (("BTCUSDT", 50000), ("ETHUSDT", 2000), ("BTCUSD_PERP", 50000)):
        world.move(symbol, price)
    for name in names:
        world.open(name, usdt="20000", btc="0.5")
        for symbol in SYMBOLS:
            if isolated:
                world.exchange.set_margin_type(name, symbol, isolated=True)
    played(world, drawn, names)
    for name in names:
        for product in (Product.USDM, Product.COINM):
            asset, rows = ASSET_OF[product], world.rows(name, product)
            assert world.wallet(name, product) == sum((row.amount for row in rows), ZERO)
            fills = [fill for fill in world.fills(name) if PRODUCT_OF[fill["s"]] is product]
            for kind, total in ((IncomeKind.REALISED_PNL, sum((D(f["rp"]) for f in fills), ZERO)),
                                (IncomeKind.COMMISSION, -sum((D(f["n"]) for f in fills), ZERO))):
                assert sum((row.amount for row in rows if row.kind is kind), ZERO) == total
            updates = [b for p in world.told(name, "ACCOUNT_UPDATE") for b in p["a"]["B"] if b["a"] == asset]
            assert D(updates[-1]["wb"]) == world.wallet(name, product)
            trades = world.exchange.trades(name, product, limit=1000)
            assert sorted((t.symbol, t.trade_id, t.realised_pnl, t.commission) for t in trades) == sorted(
                (f["s"], f["t"], D(f["rp"]), D(f["n"])) for f in fills)
        for symbol in SYMBOLS:
            assert world.quantity(name, symbol) == signed_fills(world, name, symbol)
            assert world.quantity(name, symbol) == world.matched_quantity(name, symbol)
    everyone = [row for name in names for row in world.exchange.income(name)] + list(world.fund_rows())
    assert sum((row.amount for row in everyone if row.kind is IncomeKind.INSURANCE_CLEAR), ZERO) == ZERO
