"""What came of a backtest, as a value: orders, fills, the curve of equity, and a summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from backtest.replay.assets import ReplayAsset
from backtest.replay.layout import HotView
from dataflows.kernels import RecordArray

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class AssetSummary:
    """One instrument's numbers at the end; money is in its settlement asset, `value_quote` in its quote asset."""

    name: str
    settlement_asset: str
    orders: int
    fills: int
    maker_fills: int
    volume: float
    value_quote: float
    position: float
    entry_price: float
    realised_pnl: float
    fees: float
    funding: float
    equity: float
    most_drawdown: float


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """What a run made.

    `orders` by number from 1, `fills` as received and `curve` of shape (times, instruments) are arrays in the layouts
    of `backtest.replay.layout`.
    """

    names: tuple[str, ...]
    rows: int
    first_ns: int
    last_ns: int
    orders: RecordArray
    fills: RecordArray
    curve: RecordArray
    assets: tuple[AssetSummary, ...]

    @classmethod
    def of(cls, assets: Sequence[ReplayAsset], view: HotView, rows: int) -> Self:
        """Copy the used part of a view's arrays."""
        clock = view.clock[0]
        orders = view.orders[1 : int(clock["orders"]) + 1].copy()
        fills = view.fills[: int(clock["fills"])].copy()
        curve = view.curve[: int(clock["curve"])].copy()
        made = tuple(_summary(at, asset, view, orders, fills, curve) for at, asset in enumerate(assets))
        first_ns = min(int(asset.rows["exch_ts"][0]) for asset in assets)
        names = tuple(asset.name for asset in assets)
        return cls(names, rows, first_ns, int(clock["now_ns"]), orders, fills, curve, made)

    def to_polars(self) -> "dict[str, pl.DataFrame]":
        """Return `orders`, `fills` and `curve` as data frames, with the instruments' names."""
        import polars as pl  # noqa: PLC0415  # a tenth of a second that a run need not pay

        tables = {"orders": self.orders, "fills": self.fills, "curve": self.curve.reshape(-1)}
        made = {}
        for name, table in tables.items():
            columns: dict[str, Any] = {field: np.ascontiguousarray(table[field]) for field in table.dtype.names or ()}
            columns["asset"] = [self.names[number] for number in table["asset"]]
            made[name] = pl.DataFrame({key: columns[key] for key in columns if key not in ("next", "previous")})
        return made

    def as_data(self) -> dict[str, Any]:
        """Return the summary as plain values, for JSON."""
        fields = AssetSummary.__dataclass_fields__
        return {
            "rows": self.rows,
            "from_ns": self.first_ns,
            "to_ns": self.last_ns,
            "instruments": [{name: getattr(asset, name) for name in fields} for asset in self.assets],
        }

    def text(self) -> str:
        """Return the summary for a person."""
        minutes = (self.last_ns - self.first_ns) / 60e9
        lines = [f"{self.rows:,} rows, {minutes:,.1f} minutes"]
        for asset in self.assets:
            unit = asset.settlement_asset
            lines += [
                (f"{asset.name}: {asset.orders:,} orders, {asset.fills:,} fills ({asset.maker_fills:,} as maker), "
                f"volume {asset.volume:,.3f}"),
                (f"  position {asset.position:,.3f} at {asset.entry_price:,.2f}; realised {asset.realised_pnl:,.4f}, "
                f"fees {asset.fees:,.4f}, funding {asset.funding:,.4f}, equity {asset.equity:,.4f} {unit}, "
                f"most drawdown {asset.most_drawdown:,.4f} {unit}"),
            ]
        return "\n".join(lines)


def _summary(
    at: int, asset: ReplayAsset, view: HotView, orders: RecordArray, fills: RecordArray, curve: RecordArray
) -> AssetSummary:
    record, own = view.assets[at], fills[fills["asset"] == at]
    positions = view.positions[at]
    lots = int(positions["lots"].sum())
    equity = curve["equity"][:, at] if len(curve) else np.zeros(1)
    held = positions[np.argmax(np.abs(positions["lots"]))]
    return AssetSummary(
        asset.name, asset.settlement_asset, int((orders["asset"] == at).sum()), len(own), int(own["maker"].sum()),
        float(record["volume_lots"]) * asset.lot_size, float(record["value"]), lots * asset.lot_size,
        float(held["entry_price"]), float(record["realised"]), float(record["fees"]), float(record["funding"]),
        float(equity[-1]), drawdown(equity))


def drawdown(equity: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Return the most that a curve, which begins at 0, fell from an earlier height."""
    heights = np.maximum.accumulate(np.concatenate([[0.0], equity]))
    return float((heights[1:] - equity).max()) if len(equity) else 0.0
