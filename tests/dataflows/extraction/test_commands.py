"""`sluice features`: rows of a tape into Parquet, and a sentence for everything that can be wrong."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from dataflows.extraction.commands import every_ns, features
from dataflows.extraction.rows import TapeRows
from dataflows.extraction.tables import read_features, table_of
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from sluice.cli.application import run
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire
from tests.dataflows.tapes.helpers import START_NS, line, write

CATALOG = InstrumentCatalog.shipped()
SECOND = wire.SECOND


def frames_of_a_market(seconds: int) -> list[bytes]:
    """Return lines: a book that moves, and a trade four times a second."""
    snapshot = wire.snapshot(10, [("100.0", "3")], [("100.2", "1")], symbol="BTCUSDT")
    lines = [line(0, snapshot), line(1, wire.depth(9, 11, 8))]
    for quarter in range(1, 4 * seconds):
        at, update = quarter * SECOND // 4, 11 + quarter
        quantity = str(1 + quarter % 5)
        lines.append(line(at, wire.depth(update, update, update - 1, [("100.0", quantity)])))
        lines.append(line(at + 5, wire.trade("100.0" if quarter % 3 else "100.2", quantity, sold=quarter % 3 > 0)))
    return lines


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tape") / "btcusdt_1.gz", frames_of_a_market(70))


def made(*arguments: object) -> dict[str, object]:
    result = CliRunner().invoke(features, [*map(str, arguments), "--json"], catch_exceptions=False)
    found: dict[str, object] = json.loads(result.stdout)
    return found


def error_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = run(features, "features", list(map(str, arguments)))
    return code, capsys.readouterr().err


def test_the_rows_are_those_of_the_actors(tape: Path, tmp_path: Path) -> None:
    found = made(tape, "-o", tmp_path / "out.parquet")
    schema, table = read_features(tmp_path / "out.parquet")
    rows = [row for rows in TapeRows(CATALOG, SECOND).ticks([tape]) for row in rows]
    assert schema is MARKET_SCHEMA
    assert table.equals(table_of(rows, MARKET_SCHEMA))
    assert (found["rows"], found["instruments"]) == (70 - 1, ["BINANCE_USDM:BTCUSDT"])
    assert found["valid_rows"] == table.drop_nulls().height > 0
    assert table["cvd_60s"].null_count() == 60
    assert found["schema"] == {"name": "market", "version": 1, "hash": MARKET_SCHEMA.hash}


def test_rows_may_stand_closer_and_further_apart(tape: Path, tmp_path: Path) -> None:
    by_second, by_tenth = tmp_path / "1.parquet", tmp_path / "2.parquet"
    made(tape, "-o", by_second)
    made(tape, "-o", by_tenth, "--every", "100ms")
    _, seconds = read_features(by_second)
    _, tenths = read_features(by_tenth)
    both = tenths.join(seconds, on="event_time", how="semi").drop("sequence")
    assert 9.9 * seconds.height < tenths.height <= 10 * (seconds.height + 1)
    assert both.equals(seconds.drop("sequence"))


def test_bad_lines_are_counted_by_reason_and_change_no_row(tape: Path, tmp_path: Path) -> None:
    lines = gzip.decompress(tape.read_bytes()).splitlines()
    foreign = wire.depth(1, 2, 3, symbol="MOONUSDT")
    bad = [b"no line", line(100, b"{}"), line(100, foreign), line(100, wire.depth(1, 2, 3)[:-9])]
    doctored = write(tmp_path / "bad.gz", [*lines[:2], *bad, *lines[2:]])
    made(tape, "-o", tmp_path / "good.parquet")
    found = made(doctored, "-o", tmp_path / "out.parquet")
    assert found["dead_letters"] == {
        "MALFORMED_LINE": 1, "UNKNOWN_INSTRUMENT": 1, "MALFORMED_JSON": 1, "UNKNOWN_EVENT": 1}
    assert found["lines"] == len(lines) + len(bad)
    assert read_features(tmp_path / "out.parquet")[1].equals(read_features(tmp_path / "good.parquet")[1])
    told = CliRunner().invoke(features, [str(doctored), "-o", str(tmp_path / "again.parquet")], catch_exceptions=False)
    assert "dead letters: MALFORMED_LINE 1" in told.stdout
    assert "found by the quality gates: " in told.stdout
    assert "Reading: 100%" in told.stderr


def test_what_the_gates_find_is_told(tape: Path, tmp_path: Path) -> None:
    found = made(tape, "-o", tmp_path / "out.parquet")
    # The frames of this tape say that they happened in 1970; those after the last tick are not told of.
    assert found["quality_by_reason"] == {"INVALID_TIME": 551}


def test_a_tape_that_breaks_off_gives_the_rows_until_there(tape: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(tape.read_bytes()[: tape.stat().st_size // 2])
    made(tape, "-o", tmp_path / "whole.parquet")
    found = made(cut, "-o", tmp_path / "cut.parquet")
    _, part = read_features(tmp_path / "cut.parquet")
    _, whole = read_features(tmp_path / "whole.parquet")
    assert found["dead_letters"] == {"TRUNCATED_FILE": 1}
    assert 0 < part.height < whole.height
    assert part.equals(whole.head(part.height))


def test_only_the_instruments_asked_for_have_rows(tape: Path, tmp_path: Path) -> None:
    other = [b.replace(b"BTCUSDT", b"ETHUSDT").replace(b"btcusdt", b"ethusdt") for b in frames_of_a_market(5)]
    write(tmp_path / "ethusdt_1.gz", other)
    found = made(tape, tmp_path / "ethusdt_1.gz", "-o", tmp_path / "o.parquet", "--instrument", "BINANCE_USDM:ETHUSDT")
    _, table = read_features(tmp_path / "o.parquet")
    assert found["instruments"] == table["instrument"].unique().to_list() == ["BINANCE_USDM:ETHUSDT"]
    assert found["dead_letters"] == {}


@pytest.mark.parametrize(("arguments", "code", "says"), [
    (["none.gz"], 2, "none.gz"),
    (["tape", "--instrument", "BINANCE_USDM:MOONUSDT"], 2, "was 'BINANCE_USDM:MOONUSDT'"),
    (["tape", "--every", "1 parsec"], 1, "the time between two rows must be from 10 ms to a day, was '1 parsec'"),
    (["tape", "--set", "full", "--bars", "1s,60s,1m"], 1, "each of another"),
    (["tape", "--set", "moon"], 1, "'moon' is not one of 'light', 'full'"),
    (["broken.gz"], 1, "tapes must give at least one row, gave none"),
    (["empty.gz"], 1, "tapes must give at least one row, gave none"),
    (["tape", "--every", "1h"], 1, "tapes must give at least one row, gave none"),
    (["tape", "-o", "."], 1, "must be a file to write, was a folder"),
])
def test_what_is_wrong_is_said_in_a_sentence_and_leaves_no_file(
    arguments: list[str], code: int, says: str, tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b\x08 broken")
    write(tmp_path / "empty.gz", [])
    monkeypatch.chdir(tmp_path)
    named = [str(tape) if argument == "tape" else argument for argument in arguments]
    found, text = error_of(capsys, "-o", "out.parquet", *named)
    assert found == code, text
    assert says in text
    assert "Fix: " in text
    assert "Traceback" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.gz", "empty.gz"]


def test_an_instrument_begins_with_its_first_frame_and_ends_with_the_tape(tape: Path) -> None:
    rows = [row for rows in TapeRows(CATALOG, SECOND).ticks([tape]) for row in rows]
    last = max(item.receive_time_ns for item in TapeReader([tape]) if isinstance(item, Frame))
    assert rows[0].event_time_ns == START_NS + SECOND
    assert last - SECOND < rows[-1].event_time_ns <= last


@pytest.mark.parametrize(("text", "ns"), [("10ms", 10**7), ("250ms", 25 * 10**7), ("1s", 10**9), ("5m", 3 * 10**11)])
def test_time_between_rows_is_a_text(text: str, ns: int) -> None:
    assert every_ns(text) == ns


@pytest.mark.parametrize("text", ["", "ms", "9ms", "1.5s", "-1s", "٣0ms", "99999999ms"])
def test_other_times_between_rows_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="the time between two rows"):
        every_ns(text)


def test_files_hold_their_schema_where_every_reader_of_parquet_finds_it(tape: Path, tmp_path: Path) -> None:
    made(tape, "-o", tmp_path / "out.parquet")
    metadata = pl.read_parquet_metadata(tmp_path / "out.parquet")
    ours = {key: value for key, value in metadata.items() if key.startswith("sluice")}
    assert ours == {"sluice.schema.name": "market", "sluice.schema.version": "1",
                    "sluice.schema.hash": MARKET_SCHEMA.hash}
