"""The command that makes a tape, and what it tells to type next."""

import json
import shlex
from pathlib import Path

from click.testing import CliRunner

from backtest.synthetic.command import make
from sluice.cli.groups import installed_commands


def made(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(make, ["-o", str(folder), "--minutes", "0.1", "--symbols", "btcusdt", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_commands_of_the_hint_can_be_typed_as_they_stand(tmp_path: Path) -> None:
    output = made(tmp_path / "with a space")
    hints = [shlex.split(line.partition(": ")[2]) for line in output.splitlines() if ": sluice " in line]
    assert [words[:2] for words in hints] == [["sluice", "demo"], ["sluice", "tape"]]
    points = installed_commands()
    for words in hints:
        name = words[1] if words[1] in points else f"{words[1]}.{words[2]}"
        context = points[name].load().make_context(name, words[2 + name.count("."):])
        assert str(tmp_path / "with a space") in str(context.params)


def test_files_are_named_as_json_where_that_is_asked_for(tmp_path: Path) -> None:
    found = json.loads(made(tmp_path, "--json", "--seed", "3"))
    assert found["seed"] == 3
    assert all(Path(file).stat().st_size > 1000 for file in found["files"])
