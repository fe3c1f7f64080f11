"""Rows and training from tapes, by the real reader, codec and actors."""

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtest.synthetic import make_tape
from dataflows.actors.market_rows import FeatureRow
from dataflows.desk.wire import row_message
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.indicators.schemas import FULL_SCHEMA
from inference.bundle import CARD_FILE, MANIFEST_FILE, read_bundle
from inference.commands import train
from inference.registry import Registry
from inference.runtime import LoadedBundle
from inference.service import InferenceServicer, predict
from inference.training.rows import feature_rows
from sluice.errors import InputError, NotFoundError
from sluice.inference.v1 import inference_pb2
from sluice.instruments import InstrumentCatalog
from tests.inference.making import made_bundle

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    make_tape(folder, seed=3, minutes=10.0)
    return folder


def arguments(tape: Path, out: Path) -> list[str]:
    return ["--tape", str(tape), "--out", str(out), "--quick", "--json", "--config", str(tape / "sluice.toml")]


@pytest.fixture(scope="module")
def trained(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    (tape / "sluice.toml").write_text("")
    out = tmp_path_factory.mktemp("registry")
    result = CliRunner().invoke(train, arguments(tape, out), catch_exceptions=False)
    outcome: dict[str, object] = json.loads(result.stdout)
    return outcome


def test_rows_stand_at_every_tick_for_every_instrument(tape: Path) -> None:
    rows = list(feature_rows([tape], InstrumentCatalog.shipped(), SECOND_NS))
    times = sorted({row.event_time_ns for row in rows})
    assert times == list(range(times[0], times[-1] + 1, SECOND_NS))
    assert all(time % SECOND_NS == 0 for time in times)
    assert 595 <= len(times) <= 600
    at_one = [row.instrument for row in rows if row.event_time_ns == times[100]]
    assert at_one == ["BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT", "BINANCE_USDM:SOLUSDT"]
    assert {row.schema_hash for row in rows} == {MARKET_SCHEMA.hash}
    assert sum(all(row.valid) for row in rows) > 1_500


def test_rows_of_an_instrument_are_the_same_with_or_without_the_others(tape: Path) -> None:
    catalog = InstrumentCatalog.shipped()
    together = [row for row in feature_rows([tape], catalog, SECOND_NS) if row.instrument.endswith("ETHUSDT")]
    alone = list(feature_rows([next(tape.glob("ethusdt*"))], catalog, SECOND_NS))
    assert [repr(row) for row in alone] == [repr(row) for row in together[:len(alone)]]


def test_progress_tells_the_lines(tape: Path) -> None:
    seen: list[int] = []
    for _ in feature_rows([tape], InstrumentCatalog.shipped(), SECOND_NS, seen.append):
        pass
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert len(seen) > 3


def test_command_writes_a_bundle_that_works_and_says_how_it_did(trained: Mapping[str, object]) -> None:
    folder = Path(str(trained["folder"]))
    bundle = read_bundle(folder)
    assert bundle.version == trained["version"] == LoadedBundle(bundle).version
    assert Registry(folder.parent.parent).active_version() == bundle.version
    assert bundle.manifest.metrics["return_30s"]["rows"] > 50
    assert set(json.loads((folder / MANIFEST_FILE).read_bytes())["schema"]["features"]) == set(MARKET_SCHEMA.features)


def test_training_twice_on_a_tape_gives_the_same_version(
        trained: Mapping[str, object], tape: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(train, arguments(tape, tmp_path), catch_exceptions=False)
    again = json.loads(result.stdout)
    first, second = Path(str(trained["folder"])), Path(again["folder"])
    assert again["version"] == trained["version"]
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()}


def test_full_set_trains_a_bundle_that_names_it_and_reads_rows_of_it_alone(tape: Path, tmp_path: Path) -> None:
    (tape / "sluice.toml").write_text("")
    result = CliRunner().invoke(train, [*arguments(tape, tmp_path), "--set", "full"], catch_exceptions=False)
    outcome = json.loads(result.stdout)
    bundle = read_bundle(Path(outcome["folder"]))
    assert Path(outcome["folder"]).parent.name == bundle.manifest.schema.name == outcome["schema"]["name"] == "full"
    assert bundle.manifest.schema.hash == FULL_SCHEMA.hash
    assert set(MARKET_SCHEMA.features) < set(bundle.manifest.inputs) < set(FULL_SCHEMA.features)
    assert "open_interest_change_1m_bps" in bundle.files[CARD_FILE].decode()
    servicer = InferenceServicer(Registry(tmp_path))
    rows = feature_rows([tape], InstrumentCatalog.shipped(), SECOND_NS, schema=FULL_SCHEMA,
                        reference="BINANCE_USDM:BTCUSDT")
    last = list(rows)[-1]
    answer = predict(servicer.loaded, request_of(last))
    assert [found.valid for found in answer.predictions] == [True]
    light = list(feature_rows([tape], InstrumentCatalog.shipped(), SECOND_NS))[-1]
    with pytest.raises(InputError, match=f"schema_hash must be {FULL_SCHEMA.hash}, was {MARKET_SCHEMA.hash}"):
        predict(servicer.loaded, request_of(light))
    with pytest.raises(InputError, match=f"schema_hash must be {MARKET_SCHEMA.hash}, was {FULL_SCHEMA.hash}"):
        predict(LoadedBundle(made_bundle()), request_of(last))


def request_of(row: FeatureRow) -> inference_pb2.PredictRequest:
    return inference_pb2.PredictRequest(schema_hash=row.schema_hash, rows=[row_message(row, 0.0)])


def test_tape_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "sluice.toml").write_text("")
    result = CliRunner().invoke(train, [*arguments(tmp_path, tmp_path), "--tape", str(tmp_path / "nothing.gz")])
    assert isinstance(result.exception, NotFoundError | InputError)


def test_tape_that_is_too_short_says_so(tmp_path: Path) -> None:
    make_tape(tmp_path / "short", minutes=1.5, symbols=("BTCUSDT",))
    (tmp_path / "short" / "sluice.toml").write_text("")
    result = CliRunner().invoke(train, arguments(tmp_path / "short", tmp_path / "out"))
    assert isinstance(result.exception, InputError)
    assert result.exception.fix.startswith("use a longer tape")
    assert not (tmp_path / "out").exists()


def test_missing_library_is_named_with_what_to_install(tape: Path, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("inference.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    importlib.invalidate_caches()
    (tape / "sluice.toml").write_text("")
    result = CliRunner().invoke(train, arguments(tape, tmp_path))
    assert isinstance(result.exception, NotFoundError)
    assert "lightgbm" in result.exception.message
    assert result.exception.fix == "pip install 'sluice[train]'"
