"""What a run on an exchange belongs to: the kind of its market and its instruments."""

from pathlib import Path

import pytest

from dataflows.belonging import claim
from sluice.config.settings import RunSettings, Settings, SourceSettings
from sluice.errors import InputError

KEYS = ("BINANCE_USDM:BTCUSDT",)


def settings_in(folder: Path, kind: str) -> Settings:
    return Settings(run=RunSettings(data_dir=folder), source=SourceSettings.model_validate({"kind": kind}))


def test_a_run_on_an_exchange_goes_on_there_and_not_on_a_tape(tmp_path: Path) -> None:
    claim(settings_in(tmp_path, "exchange"), KEYS)
    claim(settings_in(tmp_path, "exchange"), KEYS)
    (tmp_path / "tape.txt").write_bytes(b"")
    tape = Settings(run=RunSettings(data_dir=tmp_path), source=SourceSettings(tapes=(tmp_path / "tape.txt",)))
    with pytest.raises(InputError, match="must be an exchange by the system clock"):
        claim(tape, KEYS)
