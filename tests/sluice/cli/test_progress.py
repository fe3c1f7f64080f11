"""Progress: on standard error, now and then, and never where nobody wants it."""

import pytest

from sluice.cli.progress import progress_bar


def test_without_a_terminal_a_line_is_written_at_every_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading") as advance:
        for step in range(101):
            advance(step / 100, f"{step} lines")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        f"Reading: {part}%, {part} lines" for part in (25, 50, 75, 100)]


def test_a_word_is_not_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading") as advance:
        advance(0.3)
    assert capsys.readouterr().err == "Reading: 30%\n"


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading", quiet=True) as advance:
        advance(1.0, "done")
    assert capsys.readouterr() == ("", "")
