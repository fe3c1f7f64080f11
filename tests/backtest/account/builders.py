"""Builders of the account tests: a few contracts, funded accounts, and fills in a few words."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from hypothesis import strategies as st

from backtest.account import Account, BracketTable, Contract, FeeRates, Fill, FillEffect, OpenOrder, ProposedOrder
from backtest.account.contract import Pool
from sluice.decimals import ZERO
from sluice.instruments import InstrumentCatalog, Venue
from sluice.orders import PositionSide, Side

D = Decimal
NOW_MS = 1_760_000_000_000
_CATALOG = InstrumentCatalog.shipped()
BTC = Contract.shipped(_CATALOG.require("BINANCE_USDM:BTCUSDT"))
ETH = Contract.shipped(_CATALOG.require("BINANCE_USDM:ETHUSDT"))
COIN = Contract.shipped(_CATALOG.require("BINANCE_COINM:BTCUSD_PERP"))
CONTRACTS = {contract.instrument.symbol: contract for contract in (BTC, ETH, COIN)}
USDT: Pool = (Venue.BINANCE_USDM, "USDT")
COIN_POOL: Pool = (Venue.BINANCE_COINM, "BTC")
FEES = {venue: FeeRates(D("0.0002"), D("0.0005")) for venue in (Venue.BINANCE_USDM, Venue.BINANCE_COINM)}
NO_FEES = {venue: FeeRates(ZERO, ZERO) for venue in FEES}
STEP = D("0.00000001")

_trade_ids = count(1)


def an_account(*, usdt: str = "10000", btc: str = "10", fees: Mapping[Venue, FeeRates] = FEES, hedge: bool = False,
               contracts: Mapping[str, Contract] = CONTRACTS) -> Account:
    account = Account(contracts, fees=fees)
    for pool, amount in ((USDT, usdt), (COIN_POOL, btc)):
        assert account.transfer(pool, D(amount), {}, NOW_MS) is None
    if hedge:
        assert account.set_position_mode(hedge=True) is None
    return account


def a_fill(account: Account, side: Side, quantity: str | Decimal, price: str | Decimal, *, symbol: str = "BTCUSDT",
           position_side: PositionSide = PositionSide.BOTH, maker: bool = False, time_ms: int = NOW_MS,
           fee_rate: Decimal | None = None) -> FillEffect:
    return account.apply_fill(Fill(symbol, position_side, side, D(quantity), D(price), maker, time_ms,
                                   str(next(_trade_ids)), fee_rate))


def an_open_order(order_id: int, side: Side, quantity: str, price: str, *, symbol: str = "BTCUSDT",
                  position_side: PositionSide = PositionSide.BOTH, reduce_only: bool = False) -> OpenOrder:
    return OpenOrder(symbol, order_id, position_side, side, D(quantity), D(price), reduce_only)


def a_proposal(side: Side, quantity: str, price: str, *, symbol: str = "BTCUSDT",
               position_side: PositionSide = PositionSide.BOTH, reduce_only: bool = False) -> ProposedOrder:
    return ProposedOrder(symbol, position_side, side, D(quantity), D(price), reduce_only)


def one_bracket(ratio: str, leverage: int = 125) -> BracketTable:
    return BracketTable.from_rows([(leverage, D("1e12"), D(ratio))])


@dataclass(frozen=True)
class Trade:
    """A drawn fill: lots are contracts where inverse, thousandths else."""

    symbol: str
    side: Side
    lots: int
    price: Decimal
    maker: bool

    @property
    def quantity(self) -> Decimal:
        return D(self.lots) if self.symbol == "BTCUSD_PERP" else D(self.lots) / 1000

    def play(self, account: Account, *, opposite: bool = False) -> None:
        side = self.side if not opposite else Side.SELL if self.side is Side.BUY else Side.BUY
        account.apply_fill(Fill(self.symbol, PositionSide.BOTH, side, self.quantity, self.price,
                                self.maker is not opposite, NOW_MS, "1"))


@dataclass(frozen=True)
class Funding:
    """A drawn funding settlement."""

    symbol: str
    rate: Decimal
    mark: Decimal

    def play(self, account: Account, *, opposite: bool = False) -> None:
        account.apply_funding(self.symbol, self.rate, self.mark, NOW_MS)


symbols = st.sampled_from(sorted(CONTRACTS))
prices = st.decimals("20000", "80000", places=1)
trades = st.builds(Trade, symbols, st.sampled_from(list(Side)), st.integers(1, 500), prices, st.booleans())
fundings = st.builds(Funding, symbols, st.decimals("-0.005", "0.005", places=6), prices)
steps = st.lists(st.one_of(trades, fundings), max_size=30)
