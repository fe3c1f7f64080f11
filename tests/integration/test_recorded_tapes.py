"""The demo on recorded markets: USD-M in USDT, COIN-M in coin, and no line lost."""

import gzip
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.demos import Demo

pytestmark = pytest.mark.needs("data")

LINEAR = ("usdm_btcusdt_20240808.gz",)
INVERSE = ("cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz")


def replayed(data_folder: Path, names: Sequence[str], folder: Path) -> tuple[Demo, dict[str, Any]]:
    """Run a demo on recorded tapes; check that it counted every line, and return it with its exact summary."""
    tapes = [data_folder / "ticks" / name for name in names]
    demo = Demo(folder, [part for path in tapes for part in ("--tape", str(path))]).start()
    demo.finish()
    summary = json.loads((folder / "demo" / "summary.json").read_text(), parse_float=Decimal)
    assert summary["frames"] == sum(len(gzip.decompress(path.read_bytes()).splitlines()) for path in tapes)
    assert summary["frames"] == summary["events"]
    assert summary["dead_letters"] == 0
    assert summary["intents"] > 0
    assert summary["fills"] > 0
    return demo, summary


def test_a_recorded_linear_market_is_traded_to_its_end(data_folder: Path, tmp_path: Path) -> None:
    _, summary = replayed(data_folder, LINEAR, tmp_path)
    assert summary["settlement_asset"] == "USDT"


def test_a_recorded_inverse_market_pays_fees_and_profit_in_coin(data_folder: Path, tmp_path: Path) -> None:
    demo, summary = replayed(data_folder, INVERSE, tmp_path)
    assert summary["settlement_asset"] == "BTC"
    filled = demo.query(
        "select instrument, fee_asset, filled_quantity, average_price, fees"
        " from demo_execution.orders where filled_quantity > 0")
    assert {(instrument, asset) for instrument, asset, *_ in filled} == {("BINANCE_COINM:BTCUSD_PERP", "BTC")}
    value_in_coin = sum((contracts * 100 / price for *_, contracts, price, _ in filled), Decimal(0))
    fees = sum((fee for *_, fee in filled), Decimal(0))
    assert Decimal("0.0002") <= fees / value_in_coin <= Decimal("0.0005")
    assert abs(summary["fees"] - fees) < Decimal("1e-15")
    assert abs(summary["pnl_realised"]) < value_in_coin / 100
