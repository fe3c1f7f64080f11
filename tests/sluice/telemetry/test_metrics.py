"""The Prometheus endpoint."""

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sluice.errors import NotRunningError
from sluice.telemetry.metrics import serve

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from prometheus_client import Counter
from sluice.telemetry.metrics import serve
Counter("sluice_test_seen", "Seen.").inc(3)
serve(int(sys.argv[1]))
print("serving", flush=True)
sys.stdin.read()
"""


def test_metrics_are_served_over_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert "sluice_test_seen_total 3.0" in answer.read().decode()
        process.communicate("", timeout=10)


def test_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(NotRunningError, match=f"metrics_port must be free, 127.0.0.1:{port} is not"):
            serve(port)


def test_port_zero_serves_nothing() -> None:
    serve(0)
