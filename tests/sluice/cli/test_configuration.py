"""`sluice config check` and `sluice config show`."""

import json
from pathlib import Path

import pytest

from sluice.config import shape
from tests.sluice.cli.conftest import Invoke


def test_check_says_that_the_defaults_are_sound(sluice: Invoke) -> None:
    outcome = sluice("config", "check")
    assert (outcome.code, outcome.err) == (0, "")
    assert "sound: no file, 0 settings given" in outcome.out


def test_check_prints_every_problem_and_exits_with_4(sluice: Invoke) -> None:
    Path("sluice.toml").write_text('[run]\nclock = "x"\nnamspace = "y"\n')
    outcome = sluice("config", "check")
    assert (outcome.code, outcome.out) == (4, "")
    assert "Error: sluice.toml:run.clock: must be one of event, system, was 'x'" in outcome.err
    assert "Error: sluice.toml:run.namspace: unknown key; did you mean run.namespace?" in outcome.err
    assert "Traceback" not in outcome.err
    assert len(json.loads(sluice("config", "check", "--json").err)["error"]["problems"]) == 2


def test_show_lists_every_setting_with_its_origin(sluice: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.toml").write_text('[run]\nnamespace = "mine"\n[source]\ntapes = ["a.gz"]\n')
    monkeypatch.setenv("SLUICE_RISK__LIMITS__MAX_ORDER_NOTIONAL", "12.50")
    rows = json.loads(sluice("config", "show", "--config", "own.toml", "--json").out)["settings"]
    assert list(rows) == [shape.dotted(place) for place in shape.leaves()]
    assert rows["run.namespace"] == {"value": "mine", "origin": "own.toml"}
    assert rows["source.tapes"] == {"value": ["a.gz"], "origin": "own.toml"}
    assert rows["risk.limits.max_order_notional"] == {
        "value": "12.50", "origin": "SLUICE_RISK__LIMITS__MAX_ORDER_NOTIONAL"}
    assert rows["run.clock"] == {"value": "event", "origin": "default"}
    assert rows["account.balances"]["value"]["USDT"] == "100000"


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_show_masks_secrets(sluice: Invoke, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setenv("SLUICE_STORES__POSTGRES_URL", "postgresql://trader:hunter2@db/x")
    outcome = sluice("config", "show", *arguments)
    assert outcome.code == 0
    assert "hunter2" not in outcome.out
    assert "***" in outcome.out
