"""The Prometheus endpoint."""

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sluice.config.settings import RiskSettings, Settings, TelemetrySettings
from sluice.errors import NotRunningError
from sluice.telemetry.metrics import serve

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from prometheus_client import Counter
from sluice.config.settings import RiskSettings, Settings
from sluice.telemetry.metrics import serve
Counter("sluice_test_seen", "Seen.").inc(3)
serve(Settings(risk=RiskSettings(metrics_port=int(sys.argv[1]))), "risk")
print("serving", flush=True)
sys.stdin.read()
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_metrics_are_served_over_http() -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert "sluice_test_seen_total 3.0" in answer.read().decode()
        process.communicate("", timeout=10)


def test_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(NotRunningError, match=f"^risk.metrics_port must be free, .*:{port} is not") as caught:
            serve(Settings(risk=RiskSettings(metrics_port=port)), "risk")
    assert caught.value.fix == "stop what uses it, or change risk.metrics_port; 0 is for none"


def test_host_that_is_not_this_machines_is_named() -> None:
    elsewhere = TelemetrySettings(metrics_host="192.0.2.1")
    with pytest.raises(NotRunningError, match=r"192\.0\.2\.1"):
        serve(Settings(risk=RiskSettings(metrics_port=free_port()), telemetry=elsewhere), "risk")


def test_port_zero_serves_nothing() -> None:
    serve(Settings(), "risk")
