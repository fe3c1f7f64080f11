"""The same strategy on the same rows gives what it gives in hftbacktest, with the same queue model and exchange."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backtest.matching.state import QueueModel
from backtest.replay import Backtest
from benchmarks.quoting import quote_touch
from tests.backtest.replay.feeds import asset_of, make_feed, save
from tests.conftest import judges

JUDGE = Path(__file__).parents[2] / "judges" / "hftbacktest_quoting.py"
ROWS = make_feed(21, 20_000)


@pytest.mark.needs("judges")
@pytest.mark.parametrize(("queue", "model"), [("ra", QueueModel.RISK_AVERSE), ("prob", QueueModel.POWER)])
def test_orders_fills_volume_and_money_are_those_of_hftbacktest(
    tmp_path: Path, queue: str, model: QueueModel,
) -> None:
    tape = save(ROWS, tmp_path / "tape.npy")
    done = subprocess.run(
        [str(judges()), str(JUDGE), str(tape), queue], check=True, capture_output=True, text=True,
        timeout=120)
    theirs: dict[str, Any] = json.loads(done.stdout)
    ours = Backtest([asset_of(ROWS, queue=model, partial_fills=False)]).run(quote_touch).assets[0]
    assert ours.fills > 200
    assert (ours.orders, ours.fills) == (theirs["orders"], theirs["fills"])
    assert ours.volume == pytest.approx(theirs["volume"], rel=1e-9)
    assert ours.position == pytest.approx(theirs["position"], abs=1e-9)
    assert ours.fees == pytest.approx(theirs["fees"], rel=1e-6)
    cash = ours.realised_pnl - ours.position * ours.entry_price
    assert cash == pytest.approx(theirs["cash"], rel=1e-6)
