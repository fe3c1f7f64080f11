"""Tests that need what a machine may lack: `@pytest.mark.needs("grpcurl")`, `"data"`, `"judges"`, `"kafka"`.

Such a test is skipped, and says why, where the thing is missing; where the environment variable SLUICE_REQUIRE lists it
(`grpcurl,data`), it fails instead, so that continuous integration cannot pass by skipping.

Where tests run on several cores, those of a file stay together, and all that start whole systems go one after another:
each of them is made of many processes already.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# How fast a machine is says nothing about the code.
settings.register_profile("sluice", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluice")

DATA_VARIABLE = "SLUICE_DATA"
JUDGES_VARIABLE = "SLUICE_JUDGES"
_SYSTEMS = ("tests/integration/", "tests/judges/")


def recorded_data() -> Path:
    """Return the folder of recorded market data, which is not part of the project and may be missing."""
    return Path(os.environ.get(DATA_VARIABLE, "../shared/data"))


def judges() -> Path:
    """Return the interpreter of the environment in which other people's clients live."""
    return Path(os.environ.get(JUDGES_VARIABLE, ".venv-judges")) / "bin" / "python"


def is_missing(name: str) -> bool:
    """Tell whether what a test needs is not there. `kafka` is Java and the Maven that fetches a real broker."""
    if name == "kafka":
        return shutil.which("java") is None or shutil.which("mvn") is None
    if name == "judges":
        return not judges().is_file()
    return not recorded_data().is_dir() if name == "data" else shutil.which(name) is None


class FilesAndSystems(LoadScopeScheduling):  # type: ignore[misc]  # xdist is without types
    """Hands tests to cores by file, and all that start whole systems to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "systems" if file.startswith(_SYSTEMS) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesAndSystems:
    """Say which tests must run on the same core, one after another."""
    return FilesAndSystems(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test whose needs are not met."""
    needed = [name for marker in item.iter_markers("needs") for name in marker.args]
    missing = [name for name in needed if is_missing(name)]
    required = {name.strip() for name in os.environ.get("SLUICE_REQUIRE", "").split(",")}
    if demanded := [name for name in missing if name in required]:
        pytest.fail(f"{', '.join(demanded)} must be installed, because SLUICE_REQUIRE lists it, and was not found")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which this machine does not have")


@pytest.fixture
def data_folder() -> Path:
    """Give a test that is marked `needs("data")` the folder of recorded market data."""
    return recorded_data()
