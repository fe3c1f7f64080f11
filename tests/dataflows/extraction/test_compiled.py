"""`sluice features` on compiled tapes: the actors' rows by the tape's own columns."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from backtest.synthetic import make_tape
from dataflows.extraction.commands import features
from dataflows.extraction.compiled import compiled_tapes, instruments_of
from dataflows.extraction.tables import read_features
from dataflows.indicators.schemas import FULL_SCHEMA
from dataflows.market_actors import market_actor
from dataflows.tapes.compiled import compile_tapes, load_compiled
from sluice.cli.application import run
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog

CATALOG = InstrumentCatalog.shipped()
SECOND_NS = 1_000_000_000
BTC, ETH = "BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with raw tapes in `raw` and what is compiled of them in `compiled`."""
    folder = tmp_path_factory.mktemp("tapes")
    make_tape(folder / "raw", seed=5, minutes=1.5)
    compile_tapes([folder / "raw"], folder / "compiled", shift_ns=0, progress=lambda _: None)
    return folder


def made(*arguments: object) -> dict[str, object]:
    result = CliRunner().invoke(features, [*map(str, arguments), "--json"], catch_exceptions=False)
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_rows_are_those_of_the_actor_in_the_order_of_time_and_instrument(folder: Path, tmp_path: Path) -> None:
    found = made(folder / "compiled", "-o", tmp_path / "out.parquet", "--set", "full")
    schema, table = read_features(tmp_path / "out.parquet")
    assert schema is FULL_SCHEMA
    assert found["instruments"] == [BTC, ETH, "BINANCE_USDM:SOLUSDT"]
    assert table.equals(table.sort("event_time", "instrument"))
    actor = market_actor(CATALOG.require(ETH), FULL_SCHEMA)
    expected = actor.on_rows(load_compiled(folder / "compiled" / "ethusdt.npz"), tick_interval_ns=SECOND_NS)
    own = table.filter(instrument=ETH)
    first = schema.index("reference_correlation_60_ticks")
    values = own.select(schema.features).fill_null(float("nan")).to_numpy()
    np.testing.assert_array_equal(values[:, :first], expected.values[:, :first])
    assert own["sequence"].to_list() == list(range(1, len(expected) + 1))
    assert own["reference_correlation_60_ticks"].drop_nulls().is_between(-1.0, 1.0).sum() > 10


def test_only_the_instruments_asked_for_have_rows_and_the_reference_is_read_beside_them(
    folder: Path, tmp_path: Path
) -> None:
    made(folder / "compiled", "-o", tmp_path / "all.parquet", "--set", "full")
    found = made(folder / "compiled", "-o", tmp_path / "eth.parquet", "--set", "full", "--instrument", ETH)
    _, everything = read_features(tmp_path / "all.parquet")
    _, own = read_features(tmp_path / "eth.parquet")
    assert found["instruments"] == [ETH]
    assert own.equals(everything.filter(instrument=ETH))


def test_a_tape_of_any_name_is_of_the_instrument_that_is_named(folder: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "yesterday.npz"
    renamed.write_bytes((folder / "compiled" / "ethusdt.npz").read_bytes())
    made(renamed, "-o", tmp_path / "a.parquet", "--instrument", ETH)
    made(folder / "compiled" / "ethusdt.npz", "-o", tmp_path / "b.parquet")
    assert read_features(tmp_path / "a.parquet")[1].equals(read_features(tmp_path / "b.parquet")[1])


def test_tapes_are_of_one_kind_and_named_after_one_instrument_each(folder: Path, tmp_path: Path) -> None:
    compiled = folder / "compiled"
    assert compiled_tapes([folder / "raw"]) == []
    assert [path.name for path in compiled_tapes([compiled])] == ["btcusdt.npz", "ethusdt.npz", "solusdt.npz"]
    with pytest.raises(InputError, match="all raw or all compiled"):
        compiled_tapes([compiled, folder / "raw"])
    for names in (["moon.npz"], ["btcusdt.npz", "BTCUSDT.npz"]):
        with pytest.raises(InputError, match="must be named after an instrument of its own"):
            instruments_of([tmp_path / name for name in names], None, CATALOG)


@pytest.mark.parametrize(("content", "exit_code", "says"), [
    (b"PK no archive", 1, "must be an .npz"), (None, 2, "tape must exist")])
def test_a_file_that_is_none_is_a_sentence(
    content: bytes | None, exit_code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "btcusdt.npz").write_bytes(content)
    code = run(features, "features", [str(tmp_path / "btcusdt.npz"), "-o", str(tmp_path / "out.parquet")])
    text = capsys.readouterr().err
    assert code == exit_code
    assert says in text
    assert "Traceback" not in text
    assert not (tmp_path / "out.parquet").exists()
