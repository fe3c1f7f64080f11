"""What docs/features.md tells a reader to type works, in its order, on tapes of the names that it uses."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtest.synthetic import make_tape
from dataflows.extraction.commands import features

DOCUMENT = (Path(__file__).parents[3] / "docs" / "features.md").read_text()


def blocks(language: str) -> list[str]:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tapes that the page names."""
    folder = tmp_path_factory.mktemp("reader")
    make_tape(folder / "tapes", seed=5, minutes=0.2)
    for file in (folder / "tapes").iterdir():
        (folder / f"{file.name.partition('_')[0]}.gz").write_bytes(file.read_bytes())
    (folder / "recording.gz").write_bytes((folder / "btcusdt.gz").read_bytes())
    return folder


def test_commands_and_code_of_the_page_work_in_their_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("sluice features")]
    for line in lines:
        result = CliRunner().invoke(features, shlex.split(line)[2:], catch_exceptions=False)
        assert result.exit_code == 0, line
        assert "Wrote" in result.stdout
    names: dict[str, object] = {}
    for code in blocks("python"):
        exec(code, names)
    assert (len(lines), len(blocks("python"))) == (3, 2)
    assert names["rows"].height > 0  # type: ignore[attr-defined]  # a name that the page's code made
