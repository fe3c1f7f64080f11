"""What a synthetic market is like: its regimes, how strong its hidden pressure is, and the profile of each symbol.

The figures are round and of the order of what liquid perpetuals show; they are not fitted to any venue's data. Prices,
ticks and lots come from the instrument catalogue.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from sluice.errors import NotFoundError
from sluice.instruments import Instrument, InstrumentCatalog

#: Length of a step of the simulation: 5 ms.
STEP_NS = 5_000_000
#: Steps simulated at a time (2 s); what bounds the memory of a long tape.
CHUNK_STEPS = 400
#: Drift of the price, in volatilities of a second, at one deviation of the hidden pressure.
PRESSURE_DRIFT = 0.12


class Regime(NamedTuple):
    """A state of the whole market. Volatility is basis points per square root of a second, rates are per second."""

    volatility_bps: float
    mean_seconds: float
    trade_rate: float
    spread_bps: float
    depth: float


#: Calm, normal, wild: rates of market orders and depth of queues go with volatility.
REGIMES = (
    Regime(volatility_bps=0.45, mean_seconds=120.0, trade_rate=1.6, spread_bps=0.0, depth=1.4),
    Regime(volatility_bps=0.9, mean_seconds=150.0, trade_rate=2.4, spread_bps=0.02, depth=1.0),
    Regime(volatility_bps=2.6, mean_seconds=60.0, trade_rate=4.4, spread_bps=0.15, depth=0.5),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a symbol moves: its price at the start, its volatility relative to the market's and its tie to the factor.

    `loading` is the correlation of its returns with the market factor. `touch_notional` is the usual value resting at
    the best price, `order_notional` the median value of a market order, both in the quote asset.
    """

    price: Decimal
    volatility: float = 1.0
    loading: float = 0.85
    touch_notional: float = 60_000.0
    order_notional: float = 1_500.0


_PROFILES = {
    "BTCUSDT": Profile(Decimal(94_000), 1.0, 0.92, 250_000.0, 3_000.0),
    "ETHUSDT": Profile(Decimal(3_200), 1.3, 0.9, 150_000.0, 2_500.0),
    "SOLUSDT": Profile(Decimal(185), 1.7, 0.82, 80_000.0, 1_500.0),
    "BNBUSDT": Profile(Decimal(890), 1.0, 0.8),
    "XRPUSDT": Profile(Decimal("2.1"), 1.5, 0.8),
    "DOGEUSDT": Profile(Decimal("0.145"), 1.9, 0.78),
    "BTCUSD_PERP": Profile(Decimal(94_000), 1.0, 0.92, 120_000.0, 2_000.0),
    "ETHUSD_PERP": Profile(Decimal(3_200), 1.3, 0.9, 60_000.0, 1_200.0),
}


@dataclass(frozen=True, slots=True)
class SymbolParameters:
    """A symbol in the units of the simulation: prices in ticks, quantities in lots."""

    instrument: Instrument
    profile: Profile

    @property
    def symbol(self) -> str:
        """Return the venue's symbol."""
        return self.instrument.symbol

    @property
    def start_ticks(self) -> int:
        """Return the first price in ticks."""
        return int(self.profile.price / self.instrument.tick_size)

    @property
    def ticks_per_bps(self) -> float:
        """Return how many ticks a basis point of the first price is."""
        return self.start_ticks / 10_000.0

    def lots(self, notional: float) -> float:
        """Return how many lots a value in the quote asset buys at the first price."""
        price = Decimal(1) if self.instrument.inverse else self.profile.price
        return max(1.0, notional / float(self.instrument.contract_size * price * self.instrument.lot_size))


@dataclass(frozen=True, slots=True)
class MarketParameters:
    """The whole market: what makes one tape differ from another, together with the seed.

    `pressure_drift` is the drift, in units of the regime's volatility per second, that one deviation of the hidden
    pressure adds to returns; the pressure fades with `pressure_seconds`. At 0 the book tells nothing about the future.
    """

    symbols: tuple[SymbolParameters, ...]
    seed: int = 7
    start_ns: int = 1_767_571_200_000_000_000  # 2026-01-05T00:00:00Z
    minutes: float = 10.0
    pressure_drift: float = PRESSURE_DRIFT
    pressure_seconds: float = 60.0
    regimes: tuple[Regime, ...] = field(default=REGIMES)

    @property
    def steps(self) -> int:
        """Return the length in steps, at least one."""
        return max(1, round(self.minutes * 60e9 / STEP_NS))


def symbol_parameters(symbol: str, catalog: InstrumentCatalog) -> SymbolParameters:
    """Return the parameters of a symbol; one without a profile of its own gets a price of 20,000 ticks.

    Raises `NotFoundError` for a symbol that the catalogue lacks.
    """
    if (instrument := catalog.by_symbol(symbol)) is None:
        known = ", ".join(sorted(i.symbol for i in catalog))
        raise NotFoundError(f"a symbol must be one of {known}, was {symbol!r}", fix="add it under [[instruments]]")
    profile = _PROFILES.get(symbol) or Profile(instrument.tick_size * 20_000)
    return SymbolParameters(instrument, profile)
