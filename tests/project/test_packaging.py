"""What pyproject.toml, constraints.txt, the Makefile and the marker `needs` promise."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def constraints() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = [re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.+!-]*)", line) for line in lines]
    assert all(pinned), "constraints.txt must hold NAME==VERSION lines alone"
    return {canonical(match[1]): match[2] for match in pinned if match}


def test_every_requirement_has_an_exact_version() -> None:
    wanted = [*PROJECT["dependencies"], *EXTRAS["local"], *EXTRAS["train"], *EXTRAS["dashboard"], *EXTRAS["dev"]]
    missing = {canonical(each) for each in wanted} - constraints().keys() - {"sluice"}
    assert missing == set()


def test_nothing_large_comes_with_the_runtime() -> None:
    assert not {"torch", "tensorflow", "nvidia-cublas-cu12"} & constraints().keys()


def test_pinned_versions_are_the_installed_ones() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "freeze", "--exclude-editable"],
                          capture_output=True, text=True, check=True)
    installed = {canonical(line): line.partition("==")[2] for line in done.stdout.splitlines() if "==" in line}
    pinned = constraints()
    assert {name: installed[name] for name in pinned if name in installed} == {
        name: pinned[name] for name in pinned if name in installed}


@pytest.mark.parametrize("group", ["sluice.commands", "sluice.reference", "sluice.venues"])
def test_installed_entry_points_are_those_of_the_project(group: str) -> None:
    installed = {point.name: point.value for point in entry_points(group=group)}
    assert installed == PROJECT["entry-points"][group], "run `make setup`"


@pytest.mark.parametrize("point", [
    *entry_points(group="sluice.venues"), *entry_points(group="console_scripts", name="sluice"),
    *entry_points(group="console_scripts", name="bytewax")], ids=lambda point: point.name)
def test_every_entry_point_leads_somewhere(point: EntryPoint) -> None:
    assert callable(point.load())


def make(*arguments: str) -> str:
    # These tests may themselves run under make, whose variables would change what a second one prints.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_explains_every_target() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    shown = make()
    assert all(f"make {target} " in shown for target in targets[1].split())


@pytest.mark.parametrize(("variables", "ending"), [
    ((), "sluice demo"), (("TAPE=a.gz",), "sluice demo --tape a.gz"),
    (("TAPE=a.gz b.gz", "JSON=1"), "sluice demo --tape a.gz --tape b.gz --json")])
def test_make_demo_hands_its_variables_to_the_command(variables: tuple[str, ...], ending: str) -> None:
    assert " ".join(make("--dry-run", "demo", *variables).splitlines()[-1].split()).endswith(ending)


def test_setup_installs_runtime_and_local_stores_alone() -> None:
    (line,) = [line for line in make("--dry-run", "--always-make", "setup").splitlines() if "-m pip" in line]
    assert "-c constraints.txt" in line
    assert line.endswith("-e '.[local]'")


TESTS_WITH_NEEDS = """
import pytest
@pytest.mark.needs("no-such-program-anywhere")
def test_with_need(): pass
@pytest.mark.needs("sh")
def test_with_met_need(): pass
"""


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("sh", "1 skipped"),
                                                   ("x, no-such-program-anywhere", "1 error")])
def test_unmet_need_is_a_skip_unless_it_is_required(tmp_path: Path, required: str, outcome: str) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(TESTS_WITH_NEEDS)
    done = subprocess.run([sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-c", "/dev/null",
                           "--rootdir", tmp_path, tmp_path],
                          env={**os.environ, "SLUICE_REQUIRE": required}, capture_output=True, text=True, check=False)
    assert outcome in done.stdout
    assert "1 passed" in done.stdout
    assert "no-such-program-anywhere" in done.stdout
