"""A demo that is interrupted, asked to end or killed, in any phase, leaves nothing running and starts again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from backtest.synthetic import make_tape
from tests.integration.demos import run_demo

STORES, SERVICES, REPLAY = "starting PostgreSQL", "starting inference", "replaying"
#: Servers that only the kernel can tell of the end get so long to stop.
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tape too short to trade on."""
    folder = tmp_path_factory.mktemp("tapes") / "synthetic"
    make_tape(folder, minutes=0.5, symbols=("BTCUSDT",))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all, so that each start also shows what the end before it left."""
    return tmp_path_factory.mktemp("interrupted data")


@contextmanager
def in_phase(phase: str, folder: Path, tape: Path) -> Iterator["subprocess.Popen[str]"]:
    """A demo that has just said that it begins a phase."""
    environ = {**os.environ, "SLUICE_RUN__DATA_DIR": str(folder)}
    with subprocess.Popen([sys.executable, "-m", "sluice", "demo", "--tape", str(tape)], env=environ, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(phase):
                break
        yield process


def left_running(folder: Path) -> list[str]:
    """Return the command lines of processes that name a folder."""
    running = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [command for command in running if str(folder) in command]


@pytest.mark.parametrize(("number", "code", "phase"), [
    (signal.SIGINT, 130, STORES), (signal.SIGTERM, 143, SERVICES), (signal.SIGINT, 130, REPLAY),
    (signal.SIGKILL, -signal.SIGKILL, REPLAY),
])
def test_an_ended_demo_leaves_nothing_running(
    folder: Path, tape: Path, number: signal.Signals, code: int, phase: str
) -> None:
    with in_phase(phase, folder, tape) as process:
        time.sleep(0.3)
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in output + errors
    deadline = time.monotonic() + PATIENCE_S
    while left_running(folder):
        assert time.monotonic() < deadline, left_running(folder)
        time.sleep(0.05)


def test_the_next_demo_in_that_folder_is_whole(folder: Path, tape: Path) -> None:
    _, summary = run_demo(folder, "--tape", str(tape))
    assert summary["frames"] == summary["events"] > 0
