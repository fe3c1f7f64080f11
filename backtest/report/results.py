"""The money of a run: by instrument from its fills, by settlement asset from those and the journalled equity.

Positions are counted with the same class that risk and the venue count with, so all agree to the last digit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from backtest.report.journal import EquityRow, FillRow, RunJournal
from sluice.decimals import MONEY, ZERO, text
from sluice.instruments import InstrumentCatalog
from sluice.positions import Position


@dataclass(frozen=True, slots=True)
class InstrumentResult:
    """What was done in one instrument. `volume` is in the quote asset, other money in the settlement asset."""

    position: Position
    fills: int
    maker_fills: int
    buys: int
    volume: Decimal


@dataclass(frozen=True, slots=True)
class AssetResult:
    """The account in one settlement asset. PnL is before fees; `net` is after them. `max_drawdown` is a fraction."""

    start: Decimal
    end: Decimal
    fees: Decimal
    pnl_realised: Decimal
    pnl_unrealised: Decimal
    max_drawdown: Decimal

    @property
    def net(self) -> Decimal:
        """Return realised and unrealised PnL less fees."""
        return MONEY.subtract(MONEY.add(self.pnl_realised, self.pnl_unrealised), self.fees)

    def as_dict(self) -> dict[str, Decimal]:
        """Return the figures by name, in their shortest exact form."""
        values = {
            "start_equity": self.start, "end_equity": self.end, "fees": self.fees, "pnl_realised": self.pnl_realised,
            "pnl_unrealised": self.pnl_unrealised, "pnl_net": self.net, "max_drawdown": round(self.max_drawdown, 12),
        }
        return {name: shortest(value) for name, value in values.items()}


def by_instrument(fills: Sequence[FillRow], catalog: InstrumentCatalog) -> dict[str, InstrumentResult]:
    """Return the result of each instrument that was filled, by key."""
    grouped: dict[str, list[FillRow]] = defaultdict(list)
    for fill in fills:
        grouped[fill.instrument].append(fill)
    return {key: _instrument(catalog, key, rows) for key, rows in sorted(grouped.items())}


def _instrument(catalog: InstrumentCatalog, key: str, fills: Sequence[FillRow]) -> InstrumentResult:
    instrument = catalog.require(key)
    position, volume = Position(instrument), ZERO
    for fill in fills:
        position = position.with_fill(fill.signed_quantity, fill.price, fill.fee)
        volume += instrument.notional(fill.quantity, fill.price)
    return InstrumentResult(
        position, len(fills), sum(fill.maker for fill in fills), sum(fill.buy for fill in fills), volume)


def by_asset(journal: RunJournal, instruments: Mapping[str, InstrumentResult]) -> dict[str, AssetResult]:
    """Return the result of every settlement asset that has equity or fills."""
    rows: dict[str, list[EquityRow]] = defaultdict(list)
    for row in journal.equity:
        rows[row.asset].append(row)
    positions = [result.position for result in instruments.values()]
    assets = set(rows) | {position.instrument.settlement_asset for position in positions}
    return {asset: _asset(rows[asset], [p for p in positions if p.instrument.settlement_asset == asset])
            for asset in sorted(assets)}


def _asset(rows: Sequence[EquityRow], positions: Sequence[Position]) -> AssetResult:
    return AssetResult(
        start=rows[0].equity if rows else ZERO,
        end=rows[-1].equity if rows else ZERO,
        fees=_total([position.fees for position in positions]),
        pnl_realised=_total([position.realised_pnl for position in positions]),
        pnl_unrealised=rows[-1].unrealised_pnl if rows else ZERO,
        max_drawdown=max(drawdowns([row.equity for row in rows]), default=ZERO),
    )


def drawdowns(equity: Sequence[Decimal]) -> list[Decimal]:
    """Return the fall from the highest equity so far at each point, as a fraction of that highest."""
    found, peak = [], ZERO
    for value in equity:
        peak = max(peak, value)
        found.append(MONEY.divide(peak - value, peak) if peak > ZERO else ZERO)
    return found


def shortest(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros or exponent, so that it prints the same wherever it came from."""
    return Decimal(text(value))


def _total(values: Sequence[Decimal]) -> Decimal:
    total = ZERO
    for value in values:
        total = MONEY.add(total, value)
    return total
