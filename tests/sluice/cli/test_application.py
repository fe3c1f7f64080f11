"""The program around the commands: errors are sentences with a fix, exit codes are stable, help is quick."""

import errno
import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import click
import pytest

from sluice.cli.application import described, run
from sluice.cli.catalogue import SECTIONS
from sluice.cli.groups import ENTRY_POINT_GROUP, EntryPointGroup, load_command
from sluice.cli.summaries import summary
from sluice.errors import (
    ConfigurationError,
    DeadlineError,
    InputError,
    InvariantError,
    NotFoundError,
    NotRunningError,
    SluiceError,
)
from tests.sluice.cli.conftest import Invoke


def failing(error: BaseException) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:
        raise error

    return command


@pytest.mark.parametrize(("error", "code"), [
    (SluiceError("x"), 1), (InputError("x"), 1), (InvariantError("x"), 1), (NotFoundError("x"), 2),
    (NotRunningError("x"), 3), (ConfigurationError(["x"]), 4), (DeadlineError("x"), 5), (RuntimeError("x"), 1),
    (KeyboardInterrupt(), 130), (click.Abort(), 130), (click.UsageError("x"), 1),
])
def test_exit_code_says_what_kind_of_error_it_was(error: BaseException, code: int) -> None:
    assert run(failing(error), "sluice", []) == code


def test_error_and_fix_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(InputError("tape must be readable, was not", fix="chmod it")), "sluice", [])
    assert capsys.readouterr() == ("", "Error: tape must be readable, was not\nFix: chmod it\n")


@pytest.mark.parametrize(("number", "reason"), [
    (errno.ENOENT, "No such file or directory"), (errno.EACCES, "Permission denied"),
    (errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system")])
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    capsys: pytest.CaptureFixture[str], number: int, reason: str
) -> None:
    assert run(failing(OSError(number, os.strerror(number), "/data/x")), "sluice", []) == 1
    error, fix = capsys.readouterr().err.splitlines()
    assert error == f"Error: /data/x must be usable, was not: {reason}"
    assert fix.startswith("Fix: ")


def test_every_problem_of_a_configuration_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(ConfigurationError(["a: wrong", "b: wrong"])), "sluice", [])
    assert capsys.readouterr().err == "Error: a: wrong\nError: b: wrong\n"


def test_error_as_json_holds_message_fix_code_and_problems(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(ConfigurationError(["a: wrong", "b: wrong"], fix="mend")), "sluice", ["--json"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {"error": {
        "message": "a: wrong\nb: wrong", "fix": "mend", "exit_code": 4, "problems": ["a: wrong", "b: wrong"]}}


@pytest.mark.parametrize(("arguments", "traceback"), [([], False), (["--debug"], True)])
def test_traceback_of_an_unexpected_error_only_when_asked(
        arguments: list[str], traceback: bool, capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(ZeroDivisionError("by nothing")), "sluice", arguments)
    err = capsys.readouterr().err
    assert "Error: unexpected ZeroDivisionError: by nothing\nFix: run again with --debug" in err
    assert ("Traceback" in err) is traceback


def test_bug_of_ours_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(InvariantError("books must balance, did not")), "sluice", [])
    assert "Traceback" in capsys.readouterr().err


def test_our_own_error_is_found_behind_the_one_that_wraps_it() -> None:
    inner = NotFoundError("tape must exist, was x")
    outer = RuntimeError("step failed")
    outer.__cause__ = ValueError("wrapped")
    outer.__cause__.__cause__ = inner
    assert described(outer, "sluice") is inner


def test_unknown_command_names_the_nearest(sluice: Invoke) -> None:
    outcome = sluice("dcotor")
    assert (outcome.code, outcome.out) == (2, "")
    assert "was 'dcotor'\nFix: did you mean `sluice doctor`?" in outcome.err
    assert "did you mean `sluice config show`?" in sluice("config", "shwo").err
    assert "see `sluice --help`" in sluice("zzz").err


@pytest.mark.parametrize("arguments", [("doctor", "--nope"), ("halt",), ("config", "show", "extra"), ("--nope",)])
def test_wrong_usage_is_a_sentence_that_points_to_help(sluice: Invoke, arguments: tuple[str, ...]) -> None:
    outcome = sluice(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    error, fix = outcome.err.splitlines()
    assert error.startswith("Error: ")
    assert fix.startswith("Fix: see `sluice")


def test_help_groups_every_installed_command_by_task(sluice: Invoke) -> None:
    outcome = sluice("--help")
    assert outcome.code == 0
    for section, commands in SECTIONS.items():
        assert f"\n{section}:\n" in outcome.out
        assert all(f"\n  {name} " in outcome.out for name in commands)
    assert "More:" not in outcome.out
    assert "Examples:" in outcome.out
    assert sluice().out == outcome.out


def test_help_of_a_group_lists_its_commands(sluice: Invoke) -> None:
    out = sluice("serve", "--help").out
    assert all(f"\n  {name} " in out for name in ("inference", "risk", "execution"))


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["--version"]])
def test_help_imports_no_room_and_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from sluice.cli.application import root, run; code = run(root(), 'sluice', sys.argv[1:]); "
        "heavy = {'pydantic', 'grpc', 'numpy', 'numba', 'bytewax', 'risk', 'execution', 'dataflows', 'inference', "
        "'backtest'}; print('LOADED', sorted(heavy & set(sys.modules))); sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_command_of_a_plugin_is_listed_and_runs(capsys: pytest.CaptureFixture[str]) -> None:
    point = EntryPoint("extra", "tests.sluice.cli.plugin:extra", ENTRY_POINT_GROUP)
    group = EntryPointGroup("sluice", {"extra": point})
    assert run(group, "sluice", ["--help"]) == 0
    assert "More:\n  extra  Do something extra." in capsys.readouterr().out
    assert run(group, "sluice", ["extra"]) == 0
    assert capsys.readouterr().out == "extra done\n"


@pytest.mark.parametrize("target", ["no_such_room.commands:x", "tests.sluice.cli.plugin:missing",
                                    "tests.sluice.cli.plugin:NOT_A_COMMAND"])
def test_command_that_cannot_be_loaded_is_an_error_and_hides_no_other(
        target: str, capsys: pytest.CaptureFixture[str]) -> None:
    point = EntryPoint("broken", target, ENTRY_POINT_GROUP)
    fine = EntryPoint("extra", "tests.sluice.cli.plugin:extra", ENTRY_POINT_GROUP)
    with pytest.raises(SluiceError, match="command 'broken' must be"):
        load_command("broken", point)
    assert run(EntryPointGroup("sluice", {"broken": point, "extra": fine}), "sluice", ["--help"]) == 0
    assert "  extra   Do something extra." in capsys.readouterr().out


@pytest.mark.parametrize("point", sorted(entry_points(group=ENTRY_POINT_GROUP)), ids=lambda point: point.name)
def test_every_installed_command_loads_and_says_what_it_does(point: EntryPoint) -> None:
    command = load_command(point.name, point)
    assert command.help
    assert command.help.splitlines()[0] == summary(point)
