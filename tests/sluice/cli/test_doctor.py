"""`sluice doctor`: each examination finds what is wrong, and every failure has a fix."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sluice.cli.conftest import Invoke, Server, unused_address


@pytest.fixture
def rows(sluice: Invoke, addresses: Callable[..., None]) -> Callable[[], dict[str, dict[str, Any]]]:
    addresses()

    def examine() -> dict[str, dict[str, Any]]:
        outcome = sluice("doctor", "--json")
        report = json.loads(outcome.out)
        assert outcome.code == (0 if report["healthy"] else 1)
        assert all(row["healthy"] or row["fix"] for row in report["findings"])
        return {row["name"]: row for row in report["findings"]}

    return examine


def test_sound_machine_is_healthy(sluice: Invoke, addresses: Callable[..., None]) -> None:
    addresses()
    outcome = sluice("doctor")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("All is well.\n")
    assert not Path(".data").exists()


def test_broken_configuration_is_a_row_and_the_others_still_come(sluice: Invoke) -> None:
    Path("sluice.toml").write_text('[run]\nclock = "x"\n')
    outcome = sluice("doctor")
    assert outcome.code == 1
    assert "FAIL  configuration" in outcome.out
    assert "Fix: see docs/reference/configuration.md" in outcome.out
    assert "ok    python" in outcome.out


def test_served_address_is_fine_and_a_strangers_is_not(
        rows: Callable[[], dict[str, dict[str, Any]]], server: Callable[[], Server],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_RISK__ADDRESS", server().start())
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        monkeypatch.setenv("SLUICE_EXECUTION__ADDRESS", f"127.0.0.1:{stranger.getsockname()[1]}")
        found = rows()
    assert "the service is serving" in found["risk address"]["message"]
    assert not found["execution address"]["healthy"]
    assert "another port" in found["execution address"]["fix"]


def test_socket_in_a_missing_folder_cannot_be_listened_to(
        rows: Callable[[], dict[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_RISK__ADDRESS", "unix:/nowhere/at/all/risk.sock")
    assert not rows()["risk address"]["healthy"]


def test_data_folder_that_is_a_file_fails(
        rows: Callable[[], dict[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SLUICE_RUN__DATA_DIR", str(tmp_path / "file"))
    assert not rows()["data folder"]["healthy"]


def test_signing_key_that_others_can_read_fails(rows: Callable[[], dict[str, dict[str, Any]]]) -> None:
    key = Path(".data/keys/risk_signing_key.pem")
    key.parent.mkdir(parents=True)
    key.touch(mode=0o644)
    assert rows()["signing key"]["fix"] == f"chmod 600 {key}"
    key.chmod(0o600)
    assert rows()["signing key"]["healthy"]


def test_store_that_does_not_answer_fails_without_its_password(
        rows: Callable[[], dict[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = unused_address()
    monkeypatch.setenv("SLUICE_STORES__POSTGRES_URL", f"postgresql://trader:hunter2@{nowhere}/x")
    monkeypatch.setenv("SLUICE_STORES__REDIS_URL", f"redis://:hunter2@{nowhere}/0")
    found = rows()
    assert not found["postgres"]["healthy"]
    assert not found["redis"]["healthy"]
    assert "hunter2" not in json.dumps(found)


def test_tape_that_does_not_exist_fails(
        rows: Callable[[], dict[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_SOURCE__TAPES", "missing.gz")
    assert rows()["source.tapes"] == {
        "name": "source.tapes", "healthy": False, "message": "missing.gz does not exist", "fix": "correct source.tapes"}
