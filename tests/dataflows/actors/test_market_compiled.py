"""A recording says the same whether its frames or its compiled rows are read."""

import gzip
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from dataflows.actors.extended import FullMarketActor
from dataflows.extraction.batch import compute
from dataflows.indicators.schemas import FULL_SCHEMA
from dataflows.tapes.compiled import compile_tapes
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from tests.dataflows.actors.streams import BTC, SECOND

pytestmark = pytest.mark.needs("data")

LINES = 25_000
#: A compiled tape keeps what was seen beyond a snapshot's last level, a book made of frames does not.
BEYOND_THE_SNAPSHOT = {"bid_depth_25bps", "ask_depth_25bps", "depth_imbalance_25bps"}


def test_a_compiled_tape_gives_the_full_rows_of_its_frames(data_folder: Path, tmp_path: Path) -> None:
    tape = tmp_path / "btcusdt.gz"
    with gzip.open(data_folder / "ticks" / "usdm_btcusdt_20240808.gz") as lines, gzip.open(tape, "wb", 1) as out:
        out.writelines(line for line in islice(lines, LINES) if b"bookTicker" not in line)
    compiled = compile_tapes([tape], tmp_path / "compiled", shift_ns=0, progress=lambda _: None)
    table = compute(compiled.files["BTCUSDT"], BTC, FULL_SCHEMA)
    actor, made = FullMarketActor(BTC), []
    frames = [item for item in TapeReader([tape]) if isinstance(item, Frame)]
    start = 0
    for tick in table.times_ns.tolist():
        end = next(at for at in range(start, len(frames)) if frames[at].receive_time_ns >= tick)
        assert actor.on_frames(frames[start:end]) == []
        made.append(actor.on_tick(tick).values)
        start = end
    assert len(made) > 60
    assert (np.diff(table.times_ns) == SECOND).all()
    expected = np.array(made)
    same = (table.values == expected) | (np.isnan(table.values) & np.isnan(expected))
    different = {FULL_SCHEMA.features[column] for column in np.flatnonzero(~same.all(axis=0))}
    assert different <= BEYOND_THE_SNAPSHOT
    assert table.valid[-1].sum() > 100
    for column, entry in enumerate(FULL_SCHEMA.entries):
        values = table.values[table.valid[:, column], column]
        assert ((entry.low <= values) & (values <= entry.high)).all(), entry.name
