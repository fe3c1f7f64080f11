"""The whole system on paper in real time, by the configuration that docs/paper.md gives."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.demos import free_ports
from tests.integration.served_exchange import served_exchange

ROOT = Path(__file__).parents[2]
TICKS = 12
TIMEOUT_S = 120.0


@pytest.fixture
def configuration() -> str:
    """The configuration of the document."""
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "paper.md").read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_system_trades_on_paper_by_the_configuration_of_the_document(configuration: str, tmp_path: Path) -> None:
    ports = dict(zip(("INFERENCE", "RISK", "EXECUTION"), free_ports(3), strict=True))
    environ = {**os.environ, **{f"SLUICE_{name}__ADDRESS": f"127.0.0.1:{port}" for name, port in ports.items()}}
    with served_exchange((), "--synthetic", folder=tmp_path) as exchange:
        here = configuration.replace(":15080", f":{exchange.port}") + (
            f'\n[binance.usdm]\nrest_url = "http://127.0.0.1:{exchange.port}"\n'
            f'stream_url = "ws://127.0.0.1:{exchange.port}"\n')
        (tmp_path / "sluice.toml").write_text(here)
        process = subprocess.Popen([sys.executable, "-m", "sluice", "run"], cwd=tmp_path, env=environ,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            statistics = wait_for_ticks(tmp_path / ".data" / "flow" / "statistics.json", process)
        finally:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        assert "Traceback" not in output
        assert statistics["frames"] > 0
        assert statistics["dead_letters"] == 0
        assert not statistics["book_stale"]["lost"]
        assert exchange.health()["connections"] == 0


def wait_for_ticks(path: Path, process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the flow's statistics once it has made some ticks with every book in place."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        if found.get("ticks", 0) >= TICKS:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{TICKS} ticks must be made within {TIMEOUT_S:g} s, were not")
