"""How one of our own commands is started as a process of a run, from a written configuration. Starts nothing itself."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from sluice.config.settings import Settings
from sluice.config.writing import overrides_removed
from sluice.supervisor import ProcessSpec


def own_process(
    settings: Settings, name: str, *command: str, config: Path, address: str = "",
    serving: Callable[[], bool] | None = None,
) -> ProcessSpec:
    """Return how to start `sluice COMMAND` with a configuration file, which nothing of our environment overrides.

    Its log is `NAME.log` among those of the run. `address` and `serving` are as in `ProcessSpec`.
    """
    return ProcessSpec(
        name=name, argv=(sys.executable, "-m", "sluice", *command, "--config", str(config)),
        environ=overrides_removed(os.environ), log=settings.run.data_dir / "logs" / f"{name}.log",
        address=address, serving=serving)
