"""A run goes on with what it was begun with, and with nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dataflows.belonging import claim
from sluice.config.features import FeatureSettings
from sluice.config.settings import RunSettings, Settings, SourceSettings
from sluice.errors import InputError

ROOT = Path(__file__).parents[2]
KEYS = ["BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"]


def settings_of(folder: Path, *tapes: str, namespace: str = "mine", tick_interval_ms: int = 1000) -> Settings:
    for tape in tapes:
        (folder / tape).parent.mkdir(exist_ok=True, parents=True)
        (folder / tape).touch()
    return Settings(
        run=RunSettings(data_dir=folder / "data", namespace=namespace),
        source=SourceSettings(tapes=tuple(folder / tape for tape in tapes), tick_interval_ms=tick_interval_ms))


def test_run_goes_on_with_the_same_tapes_also_where_they_were_moved_and_have_grown(tmp_path: Path) -> None:
    claim(settings_of(tmp_path, "a.gz", "b.gz"), KEYS)
    settings = settings_of(tmp_path, "elsewhere/a.gz", "elsewhere/b.gz")
    (tmp_path / "elsewhere" / "a.gz").write_bytes(b"more")
    claim(settings, KEYS)


def test_other_tapes_are_refused_with_both_named(tmp_path: Path) -> None:
    claim(settings_of(tmp_path, "a.gz", "b.gz"), KEYS)
    with pytest.raises(InputError, match=r"^the tapes of the run mine in .* must be a\.gz, b\.gz, .*, was a\.gz$"):
        claim(settings_of(tmp_path, "a.gz"), KEYS)


def test_other_instruments_or_ticks_are_refused(tmp_path: Path) -> None:
    claim(settings_of(tmp_path, "a.gz"), KEYS)
    with pytest.raises(InputError, match=r"^the instruments .*, was BINANCE_USDM:BTCUSDT$"):
        claim(settings_of(tmp_path, "a.gz"), KEYS[:1])
    with pytest.raises(InputError, match=r"^the tick_interval_ms .* must be 1000, .*, was 500$"):
        claim(settings_of(tmp_path, "a.gz", tick_interval_ms=500), KEYS)


def test_run_of_another_namespace_is_another_run(tmp_path: Path) -> None:
    claim(settings_of(tmp_path, "a.gz"), KEYS)
    claim(settings_of(tmp_path, "b.gz", namespace="other"), KEYS[:1])


def test_command_refuses_another_tape_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / "b.log").write_text('1767571200000000000 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT"}}\n')
    claim(settings_of(tmp_path, "a.gz", namespace="sluice"), KEYS[:1])
    done = subprocess.run(
        [sys.executable, "-m", "sluice", "run", "--tape", str(tmp_path / "b.log")], cwd=ROOT,
        env={**os.environ, "SLUICE_RUN__DATA_DIR": str(tmp_path / "data")}, capture_output=True, text=True, timeout=60,
        check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the tapes of the run sluice in ")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["run"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"tapes": 1}'])
def test_damaged_note_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    settings = settings_of(tmp_path, "a.gz")
    claim(settings, KEYS)
    (tmp_path / "data" / "run" / "mine.json").write_bytes(content)
    with pytest.raises(InputError, match="must say what the run belongs to"):
        claim(settings, KEYS)


def test_other_features_are_refused_and_a_flow_of_its_own_has_its_own_belongings(tmp_path: Path) -> None:
    light = settings_of(tmp_path, "a.gz")
    full = light.model_copy(update={"features": FeatureSettings.model_validate({"set": "full"})})
    claim(light, KEYS)
    with pytest.raises(InputError, match=r"the features of the run .* must be market, as it was begun, was full ver"):
        claim(full, KEYS)
    claim(full, KEYS, flow="features")
    with pytest.raises(InputError, match=r"must be full version 1 .* to BINANCE_USDM:BTCUSDT, .* was market"):
        claim(light, KEYS, flow="features")
