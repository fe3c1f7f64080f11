"""Running a real demo in a process of its own, watching it, and looking into its journal afterwards."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sluice.config.settings import RunSettings, Settings
from sluice.rpc import wait_serving
from sluice.stores.embedded import stores

START_TIMEOUT_S = 120.0
DEMO_TIMEOUT_S = 280.0


@dataclass
class Demo:
    """A demo that runs in a folder of its own."""

    folder: Path
    arguments: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> "Demo":
        """Start it."""
        environ = {**os.environ, "SLUICE_RUN__DATA_DIR": str(self.folder), **self.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sluice", "demo", "--json", *self.arguments],
            env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def finish(self) -> dict[str, Any]:
        """Wait for its end, check that it ended well, and return the summary it printed."""
        assert self.process is not None
        try:
            output, errors = self.process.communicate(timeout=DEMO_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, errors = self.process.communicate()
            pytest.fail(f"the demo did not end within {DEMO_TIMEOUT_S} s\n{errors}\n{self.logs()}")
        assert self.process.returncode == 0, errors + self.logs()
        summary: dict[str, Any] = json.loads(output)
        return summary

    def logs(self) -> str:
        """Return the ends of the logs of its processes."""
        logs = sorted((self.folder / "demo" / "logs").glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)

    def statistics(self) -> dict[str, Any]:
        """Return what the flow last wrote about itself."""
        path = self.folder / "demo" / "flow" / "statistics.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def wait_for_frames(self, frames: int) -> None:
        """Return as soon as the flow has read so many frames."""
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.statistics().get("frames", 0) < frames:
            assert self.process.poll() is None, f"the demo ended before it read {frames} frames\n{self.logs()}"
            assert time.monotonic() < deadline, f"the demo did not reach {frames} frames\n{self.logs()}"
            time.sleep(0.02)

    def pid(self, name: str) -> int:
        """Return the process id of one of its processes as it is now."""
        found: dict[str, int] = json.loads((self.folder / "demo" / "run" / "processes.json").read_text())
        return found[name]

    def configuration(self) -> dict[str, Any]:
        """Return the configuration of its processes."""
        with (self.folder / "demo" / "run" / "sluice.toml").open("rb") as config:
            return tomllib.load(config)

    def address(self, name: str) -> str:
        """Return where one of its services listens."""
        found: str = self.configuration()[name]["address"]
        return found

    def wait_for_restart(self, name: str) -> None:
        """Return once a service that was killed serves again, in a new process."""
        log = self.folder / "demo" / "logs" / f"{name}.log"
        wait_serving(self.address(name), timeout_s=START_TIMEOUT_S)
        assert log.read_text().count("listens on") > 1, "the service must have been started again"

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to one of its processes."""
        os.kill(self.pid(name), number)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of its journal, after its end."""
        settings = Settings(run=RunSettings(data_dir=self.folder / "demo"))
        with stores(settings) as urls, psycopg.connect(urls.postgres_url) as connection:
            return connection.execute(sql.encode()).fetchall()


def run_demo(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> tuple[Demo, dict[str, Any]]:
    """Run a demo to its end."""
    demo = Demo(folder, arguments, environ or {}).start()
    return demo, demo.finish()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at just now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
