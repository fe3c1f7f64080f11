"""What a backtest is told of one instrument: its rows, its contract, its fees, its latency and how its orders match."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from backtest.matching.state import QueueModel
from backtest.replay.latency import OrderLatency
from backtest.replay.layout import FUNDING_EVENT
from dataflows.kernels import RecordArray
from dataflows.tapes.rows import Rows
from sluice.errors import InputError
from sluice.instruments import Instrument

_NO_FUNDING = np.zeros(0, FUNDING_EVENT)


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fees as parts of the value; negative is a rebate."""

    maker: float = 0.0002
    taker: float = 0.0005


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """How orders match: see `backtest.matching.state.new_state`. The default fills in part and is risk averse.

    `open_orders` is how many may be open at once; more are refused with NO_ROOM.
    """

    queue_model: QueueModel = QueueModel.RISK_AVERSE
    queue_power: float = 3.0
    partial_fills: bool = True
    newer_level_wins: bool = True
    open_orders: int = 4096


@dataclass(frozen=True, slots=True, eq=False)
class ReplayAsset:
    """One instrument of a backtest; `tick_size`, `lot_size` and `contract_size` are `Instrument`'s in float64."""

    name: str
    rows: Rows
    tick_size: float
    lot_size: float
    settlement_asset: str = "USDT"
    contract_size: float = 1.0
    inverse: bool = False
    fees: FeeRates = FeeRates()
    latency: OrderLatency = field(default_factory=lambda: OrderLatency.constant(5_000_000, 5_000_000))
    matching: MatchingRules = MatchingRules()
    funding: RecordArray = field(default_factory=lambda: _NO_FUNDING)

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size", "contract_size"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name} of {self.name} must be above 0, was {getattr(self, name)}")

    @classmethod
    def of(
        cls, instrument: Instrument, rows: Rows, *, fees: FeeRates | None = None, latency: OrderLatency | None = None,
        matching: MatchingRules | None = None, funding: RecordArray | None = None,
    ) -> Self:
        """Return the asset of a catalogued instrument; what is not given is as usual."""
        return cls(
            instrument.symbol, rows, float(instrument.tick_size), float(instrument.lot_size),
            instrument.settlement_asset, float(instrument.contract_size), instrument.inverse, fees or FeeRates(),
            latency or OrderLatency.constant(5_000_000, 5_000_000), matching or MatchingRules(),
            _NO_FUNDING if funding is None else funding)


def funding_events(times_ns: list[int], rates: list[float], mark_prices: list[float]) -> RecordArray:
    """Return funding settlements, in order of time. Raises `InputError` where they are not, or of other lengths."""
    if not len(times_ns) == len(rates) == len(mark_prices):
        raise InputError("funding must have a rate and a mark price for each time")
    if sorted(times_ns) != times_ns or any(price <= 0.0 for price in mark_prices):
        raise InputError("funding must go by time at mark prices above 0, was otherwise")
    events = np.zeros(len(times_ns), FUNDING_EVENT)
    events["time_ns"], events["rate"], events["mark_price"] = times_ns, rates, mark_prices
    return events
