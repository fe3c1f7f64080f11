"""The `bytewax` script: runs a dataflow of the folder it is called in, and says what is wrong in a sentence."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click
import pytest

from sluice.bytewax_command import Seconds, host_file, pod_ordinal

FLOWS = """
from bytewax import operators as op
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource
from sluice.errors import NotFoundError

def make(*numbers):
    flow = Dataflow("numbers")
    op.output("out", op.map("text", op.input("in", flow, TestingSource(numbers)), str), StdOutSink())
    return flow

flow = make(1, 2, 3)

def without_tape():
    raise NotFoundError("tape must exist, was x.gz", fix="name another")

def broken():
    raise ValueError("a bug of the flow")

def failing():
    flow = Dataflow("failing")
    def fail(number):
        raise NotFoundError("model must exist, was y")
    op.output("out", op.map("fail", op.input("in", flow, TestingSource([1])), fail), StdOutSink())
    return flow
"""


@dataclass(frozen=True)
class Script:
    """The installed script, called in a folder that holds `flows/numbers.py`."""

    folder: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = Path(sys.executable).parent / "bytewax"
        return subprocess.run(
            [script, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def bytewax(tmp_path: Path) -> Script:
    package = tmp_path / "flows"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "numbers.py").write_text(FLOWS)
    return Script(tmp_path)


@pytest.mark.parametrize(("flow", "lines"), [
    ("flows.numbers:flow", "1\n2\n3\n"), ("flows.numbers", "1\n2\n3\n"), ("flows.numbers:make(7, 8)", "7\n8\n"),
    ("flows/numbers.py:flow", "1\n2\n3\n")])
def test_flow_of_the_folder_runs(bytewax: Script, flow: str, lines: str) -> None:
    done = bytewax("run", flow)
    assert (done.returncode, done.stdout) == (0, lines), done.stderr


def test_recovery_folder_is_made_and_a_finished_flow_is_not_run_again(bytewax: Script) -> None:
    arguments = ("run", "flows.numbers:flow", "-r", "state/recovery", "-s", "0.25")
    assert bytewax(*arguments).stdout == "1\n2\n3\n"
    assert list((bytewax.folder / "state" / "recovery").glob("part-*.sqlite3"))
    again = bytewax(*arguments)
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.parametrize(("flow", "code", "error"), [
    ("flows.numbers:without_tape()", 2, "Error: tape must exist, was x.gz\nFix: name another\n"),
    ("flows.numbers:nothing", 1, "Error: dataflow must be importable, was not: Failed to find attribute 'nothing'"),
    ("flows.nowhere:flow", 1, "Error: dataflow must name an importable module, was 'flows.nowhere:flow'"),
    ("flows.numbers:make(oops)", 1, "Error: dataflow must be importable, was not"),
    ("flows.numbers:broken()", 1, "Error: unexpected ValueError: a bug of the flow"),
    ("flows.numbers:failing()", 2, "Error: model must exist, was y\n"),
])
def test_what_is_wrong_is_a_sentence(bytewax: Script, flow: str, code: int, error: str) -> None:
    done = bytewax("run", flow)
    assert done.returncode == code
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_process_id_without_addresses_is_refused(bytewax: Script) -> None:
    done = bytewax("run", "flows.numbers:flow", "-i", "0")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1, "Error: addresses must be given with a process id, were not")


def test_flow_can_be_drawn(bytewax: Script) -> None:
    assert bytewax("visualize", "flows.numbers:flow").stdout.startswith("flowchart TD\n")


def test_recovery_store_with_several_partitions(bytewax: Script) -> None:
    assert bytewax("init-recovery", "recovery", "3").returncode == 0
    assert len(list((bytewax.folder / "recovery").glob("part-*.sqlite3"))) == 3


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), ("0.25", 0.25), ("0", 0)])
def test_seconds_take_fractions(text: str, seconds: float) -> None:
    assert Seconds().convert(text, None, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["-1", "soon", "nan", "inf", "1e300", ""])
def test_seconds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="must be a number of seconds"):
        Seconds().convert(text, None, None)


def test_process_id_and_addresses_of_a_stateful_set(tmp_path: Path) -> None:
    assert pod_ordinal({"BYTEWAX_POD_NAME": "flow-a-2", "BYTEWAX_STATEFULSET_NAME": "flow-a"}) == 2
    assert pod_ordinal({}) is None
    (tmp_path / "hosts").write_text("a:1\n\nb:2\n")
    assert host_file({"BYTEWAX_HOSTFILE_PATH": str(tmp_path / "hosts")}) == ["a:1", "b:2"]
    assert host_file({}) is None
