"""The services around a flow: its own deployment's are waited for and never doubled."""

import asyncio
import socket
from pathlib import Path

import pytest

from dataflows import embedded
from dataflows.traded import traded
from sluice.config.settings import (
    ExecutionSettings,
    InferenceSettings,
    RiskSettings,
    RunSettings,
    Settings,
    SourceSettings,
)
from sluice.errors import DeadlineError, NotFoundError
from sluice.rpc.deployment import VARIABLE
from tests.sluice.rpc.echo import served


def settings_at(address: str, folder: Path) -> Settings:
    return Settings(
        run=RunSettings(data_dir=folder), inference=InferenceSettings(address=address),
        risk=RiskSettings(address=address), execution=ExecutionSettings(address=address))


def test_a_flow_that_was_started_with_its_services_starts_none_while_one_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "ours")
    monkeypatch.setattr(embedded, "READY_TIMEOUT_S", 0.3)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = settings_at(f"127.0.0.1:{nobody.getsockname()[1]}", tmp_path)
        with pytest.raises(DeadlineError, match="must be serving within"), embedded.services(settings):
            pytest.fail("nothing serves")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("deployment", ["", "ours"])
def test_services_that_answer_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deployment: str) -> None:
    monkeypatch.setenv(VARIABLE, deployment)

    async def scenario() -> None:
        async with served() as (_, address):
            await asyncio.to_thread(use, settings_at(address, tmp_path))

    def use(settings: Settings) -> None:
        with embedded.services(settings):
            assert list(tmp_path.iterdir()) == []

    asyncio.run(scenario())


@pytest.mark.parametrize(("text", "named"), [(b"", "no symbol at all"), (b'1 {"s":"NOPE"}\n', "NOPE")])
def test_a_tape_without_a_known_instrument_is_told_with_what_it_names(tmp_path: Path, text: bytes, named: str) -> None:
    (tmp_path / "a.txt").write_bytes(text)
    settings = Settings(source=SourceSettings(tapes=(tmp_path / "a.txt",)))
    with pytest.raises(NotFoundError, match=f"must name a catalogued instrument, named {named}"):
        traded(settings)
