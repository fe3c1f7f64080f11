"""The journal of commands on disk."""

from pathlib import Path

import pytest

from backtest.exchange.core.commands import CancelAll, Command, SetLeverage
from backtest.exchange.serving.journal import Journal, JournalHead, fingerprint
from sluice.errors import InputError

HEAD = JournalHead("a tape", "f1", "fees")


def commands() -> list[Command]:
    return [SetLeverage(account="main", frames=3, time_ns=5, symbol="BTCUSDT", leverage=7),
            CancelAll(account="main", frames=4, time_ns=9, symbol="BTCUSDT")]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    written = Journal(tmp_path / "deep" / "journal", HEAD)
    for command in commands():
        written.append(command)
    written.close()
    assert Journal(tmp_path / "deep" / "journal", HEAD).commands == commands()


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_line_that_was_cut_off_is_dropped_and_the_next_one_is_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal"
    written = Journal(path, HEAD)
    for command in commands():
        written.append(command)
    written.close()
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(path, HEAD)
    assert again.commands == commands()[:1]
    again.append(commands()[1])
    again.close()
    assert Journal(path, HEAD).commands == commands()


@pytest.mark.parametrize("other", [
    JournalHead("another", "f2", "fees"), JournalHead("a tape", "f2", "fees"), JournalHead("a tape", "f1", "other")])
def test_a_journal_of_something_else_is_refused_in_words(tmp_path: Path, other: JournalHead) -> None:
    Journal(tmp_path / "journal", other).close()
    with pytest.raises(InputError, match="a journal must belong to this market and its rules"):
        Journal(tmp_path / "journal", HEAD)


@pytest.mark.parametrize("content", [b"hello\n", b"{}\n", b"\xff\xfe\n", b'{"tape":"a tape"}\n'])
def test_a_file_that_is_no_journal_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal").write_bytes(content)
    with pytest.raises(InputError, match="a journal must begin with what it belongs to"):
        Journal(tmp_path / "journal", HEAD)


def test_tapes_are_told_apart_by_length_and_beginning(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    assert fingerprint([first]) != fingerprint([second])
    assert fingerprint([first]) == fingerprint([first])
    with pytest.raises(InputError):
        fingerprint([tmp_path / "missing"])
