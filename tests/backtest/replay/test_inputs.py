"""Rows come from several kinds of files and give the same run; what cannot be is refused with a clear error."""

from pathlib import Path

import numpy as np
import pytest

from backtest.replay import Backtest, ReplayAsset, load_rows
from backtest.synthetic import make_tape
from benchmarks.quoting import quote_touch
from dataflows.tapes.compiled import compile_tapes
from dataflows.tapes.rows import Rows
from sluice.errors import InputError, NotFoundError
from sluice.instruments import InstrumentCatalog
from tests.backtest.replay.feeds import asset_of, make_feed, save

ROWS = make_feed(3, 1_500)


@pytest.mark.parametrize("suffix", ["npz", "npy", "parquet"])
def test_every_kind_of_file_gives_the_same_run(tmp_path: Path, suffix: str) -> None:
    rows = load_rows([save(ROWS, tmp_path / f"tape.{suffix}")])
    expected = Backtest([asset_of(ROWS)]).run(quote_touch)
    result = Backtest([asset_of(rows)]).run(quote_touch)
    assert expected.assets[0].fills > 5
    assert result.fills.tobytes() == expected.fills.tobytes()
    assert result.orders.tobytes() == expected.orders.tobytes()


def test_files_in_order_of_time_are_one_tape(tmp_path: Path) -> None:
    parts = [save(ROWS[:700], tmp_path / "a.npy"), save(ROWS[700:], tmp_path / "b.parquet")]
    assert np.array_equal(load_rows(parts), ROWS)


def test_a_raw_tape_gives_the_run_of_its_compiled_one(tmp_path: Path) -> None:
    make_tape(tmp_path, seed=4, minutes=0.5, symbols=("BTCUSDT",))
    raw = sorted(tmp_path.glob("btcusdt*.gz"))
    compiled = compile_tapes(raw, tmp_path / "compiled", shift_ns=None, progress=lambda _: None)
    instrument = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
    first, second = (
        Backtest([ReplayAsset.of(instrument, load_rows(paths))]).run(quote_touch)
        for paths in (raw, [compiled.files["BTCUSDT"]]))
    assert first.assets[0].orders > 5
    assert first.orders.tobytes() == second.orders.tobytes()
    assert first.fills.tobytes() == second.fills.tobytes()


def test_no_file_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was without any"):
        load_rows([])
    with pytest.raises(NotFoundError, match="does not"):
        load_rows([tmp_path / "none.npz"])


@pytest.mark.parametrize("suffix", ["npz", "npy", "parquet"])
def test_a_broken_file_is_a_clear_error(tmp_path: Path, suffix: str) -> None:
    whole = save(ROWS, tmp_path / f"tape.{suffix}").read_bytes()
    for number, content in enumerate((b"", b"not a tape", whole[: len(whole) // 2])):
        path = tmp_path / f"broken-{number}.{suffix}"
        path.write_bytes(content)
        with pytest.raises(InputError, match="must"):
            load_rows([path])


def test_rows_of_another_layout_are_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "tape.npy"
    np.save(path, np.zeros(3, [("price", np.float64)]))
    with pytest.raises(InputError, match="must hold rows of"):
        load_rows([path])


def test_parquet_without_a_column_is_a_clear_error(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "tape.parquet"
    pl.DataFrame({"ev": [1], "px": [1.0]}).write_parquet(path)
    with pytest.raises(InputError, match="columns ev, exch_ts"):
        load_rows([path])


def _with(at: int, **values: float) -> Rows:
    rows = ROWS.copy()
    for name, value in values.items():
        rows[name][at] = value
    return rows


@pytest.mark.parametrize(("rows", "text"), [
    (_with(500, exch_ts=1), "row 500 .* it goes back"),
    (_with(500, local_ts=1), "row 500 .* it goes back"),
    (_with(0, local_ts=1), "row 0 .* received before it took place"),
    (_with(500, px=-1.0), "row 500 .* finite price above 0"),
    (_with(500, px=np.nan), "row 500 .* finite price above 0"),
    (_with(500, px=np.inf), "row 500 .* finite price above 0"),
    (_with(500, qty=-1.0), "row 500 .* quantity of 0 or more"),
    (_with(500, qty=np.nan), "row 500 .* quantity of 0 or more"),
    (_with(500, px=60_000.05), "row 500 .* multiple of the tick size"),
    (_with(500, qty=0.0005), "row 500 .* multiple of the lot size"),
    (ROWS[:0], "without any"),
])
def test_a_row_that_cannot_be_is_named(rows: Rows, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Backtest([asset_of(rows)])


def test_prices_too_far_apart_are_refused_before_memory_is_taken() -> None:
    with pytest.raises(InputError, match="must lie within"):
        Backtest([asset_of(_with(500, px=1e9))])
