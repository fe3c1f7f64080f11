"""Tapes to the topic `raw` and back, and topics as lines of JSON, over a real broker and by the command line."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backtest.synthetic import make_tape
from dataflows.sinks.kafka import OutgoingMessage
from dataflows.tapes.writer import TapeWriter
from sluice.broker.local import LocalBroker
from sluice.cli.application import root, run
from sluice.config.loading import load_settings
from sluice.topics.administration import TopicAdministration
from sluice.topics.contracts import topic
from tests.conftest import recorded_data
from tests.integration.kafka_topics import START_NS, write

pytestmark = [pytest.mark.needs("kafka")]

SYMBOLS = {"BTCUSDT": "BINANCE_USDM:BTCUSDT", "BTCUSD_PERP": "BINANCE_COINM:BTCUSD_PERP"}
Line = tuple[int, bytes]


def deployed(kafka: LocalBroker, folder: Path, prefix: str, hours: int = 168) -> Path:
    """Make a deployment's `raw` topic and return its configuration file."""
    path = folder / f"{prefix}.toml"
    path.write_text(
        f'[kafka]\nbootstrap_servers = ["{kafka.bootstrap_servers}"]\nrequest_timeout_s = 10\n'
        f'[topics]\nprefix = "{prefix}"\nraw = {{partitions = 4, retention_hours = {hours}, '
        "max_message_bytes = 200_000}\n")
    found = load_settings(path)
    TopicAdministration(found.kafka).create([topic(found, "raw")])
    return path


def called(arguments: Iterable[object], capture: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(root(), "sluice", [str(each) for each in arguments])
    captured = capture.readouterr()
    return code, captured.out, captured.err


def tape(path: Path, lines: Iterable[Line]) -> Path:
    with TapeWriter(path) as writer:
        for time_ns, payload in lines:
            writer.write(time_ns, payload)
    return path


def lines_of(files: Iterable[Path]) -> list[bytes]:
    """What `zcat` says of tapes, one after another."""
    listed = [str(each) for each in sorted(files)]
    return subprocess.run(["zcat", *listed], check=True, capture_output=True).stdout.splitlines() if listed else []


def frame(symbol: str, number: int, blank: str = "") -> bytes:
    return f'{{"e":"aggTrade",{blank}"s":"{symbol}","a":{number},"p":"0.10","x":1e-7}}'.encode()


def frames(symbol: str) -> st.SearchStrategy[list[Line]]:
    step = st.sampled_from([0, 1, 999_999, 99_999_999, 100_000_000, 3_000_000_000])
    return st.lists(st.tuples(step, st.sampled_from(["", " ", "\t"]), st.sampled_from([0, 90_000])), max_size=12).map(
        lambda drawn: [(START_NS + sum(each[0] for each in drawn[:index + 1]),
                        frame(symbol, index, blank) + b" " * padding)
                       for index, (_step, blank, padding) in enumerate(drawn)])


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(([(START_NS + 999_999, frame("BTCUSDT", 1))], []), 170_695, 1_411_653)
@given(st.tuples(*(frames(symbol) for symbol in SYMBOLS)), st.integers(0, 3_000_000_000), st.integers(0, 10**10))
def test_any_interval_comes_back_byte_for_byte_however_often_it_was_written(
    kafka: LocalBroker, capsys: pytest.CaptureFixture[str], drawn: tuple[list[Line], ...], after: int, length: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = deployed(kafka, folder, f"round.{os.urandom(6).hex()}")
        tapes = [tape(folder / f"{symbol}.gz", lines) for symbol, lines in zip(SYMBOLS, drawn, strict=True) if lines]
        for _ in range(2 if tapes else 0):
            assert called(["tape", "to-topic", *tapes, "--config", config, "--json"], capsys)[0] == 0
        begin, end = START_NS + after, START_NS + after + length
        code, out, _ = called(["tape", "from-topic", "-o", folder / "out", "--from", begin, "--to", end,
                               "--config", config, "--json"], capsys)
        assert code == 0
        for key, lines in zip(SYMBOLS.values(), drawn, strict=True):
            wanted = [b"%d %b" % line for line in lines if begin <= line[0] < end]
            assert lines_of((folder / "out").glob(f"{key.replace(':', '_').lower()}_*.gz")) == wanted
        assert json.loads(out)["undecodable"] == 0


def test_what_a_tape_holds_beside_frames_of_instruments_is_counted(
    kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = deployed(kafka, tmp_path, "tape.odd")
    path = tape(tmp_path / "odd.gz", [
        (START_NS, frame("NOSUCH", 1)), (START_NS + 1, b"{"), (START_NS + 2, frame("BTCUSDT", 1)), (5, b"{}")])
    code, out, _ = called(["tape", "to-topic", path, "--config", config, "--json"], capsys)
    assert code == 0
    assert json.loads(out) == {
        "topic": "tape.odd.raw", "frames": {"BINANCE_USDM:BTCUSDT": 1}, "messages": 1,
        "left_out": {"UNKNOWN_INSTRUMENT": 2, "TIME_REVERSED": 1}}


def test_tape_that_retention_would_delete_is_refused_before_a_message_is_written(
    kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = deployed(kafka, tmp_path, "tape.old")
    path = tape(tmp_path / "old.gz", [(START_NS - 169 * 3_600 * 10**9, frame("BTCUSDT", 1))])
    code, out, error = called(["tape", "to-topic", path, "--config", config], capsys)
    assert (code, out) == (1, "")
    assert re.search(r"must be younger than tape\.old\.raw keeps, which is 168 h", error)
    hours = int(re.findall(r"retention_hours to (\d+)", error)[0])
    longer = deployed(kafka, tmp_path, "tape.kept", hours)
    assert called(["tape", "to-topic", path, "--config", longer], capsys)[0] == 0
    assert called(["topics", "tail", "raw", "--config", config], capsys)[:2] == (0, "")


def test_tail_decodes_frames_digit_by_digit_and_shows_what_it_cannot_decode(
    kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = deployed(kafka, tmp_path, "tail.raw")
    path = tape(tmp_path / "one.gz", [(START_NS + 7, frame("BTCUSDT", 3)), (START_NS + 9, b'{"s":"BTCUSDT"')])
    assert called(["tape", "to-topic", path, "--config", config], capsys)[0] == 0
    raw = topic(load_settings(config), "raw")
    write(kafka, raw, [OutgoingMessage("bad", b"\xff\xff", START_NS + 20)])
    write(kafka, type(raw)(raw.full_name, type(raw.contract)("raw", "", "", "foreign.Thing", 1, partitions=4), 1),
          [OutgoingMessage("foreign", b"x", START_NS + 30)])
    code, out, error = called(["topics", "tail", "raw", "--config", config], capsys)
    assert (code, error) == (0, "")
    good, bad, foreign = out.splitlines()
    assert '"payload":' + frame("BTCUSDT", 3).decode() in good
    shown = json.loads(good)
    assert (shown["key"], shown["offset"], shown["event_time_ns"]) == ("BINANCE_USDM:BTCUSDT", 0, START_NS + 9)
    assert shown["event_time"].endswith(".000000009Z")
    assert shown["headers"]["schema"] == "sluice.market.v1.RawFrames"
    assert shown["payload"]["frames"][1] == {
        "sequence": 2, "receive_time_ns": START_NS + 9, "venue": "VENUE_BINANCE_USDM", "payload": '{"s":"BTCUSDT"'}
    assert "must be sluice.market.v1.RawFrames in protobuf, was 2 other bytes" in json.loads(bad)["problem"]
    assert json.loads(bad)["payload_base64"] == "//8="
    assert "was 'foreign.Thing'" in json.loads(foreign)["problem"]
    assert called(["tape", "from-topic", "-o", tmp_path / "out", "--config", config, "--json"], capsys)[1].count(
        '"undecodable": 2') == 1


def test_tail_begins_ends_and_chooses_as_asked(
    kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = deployed(kafka, tmp_path, "tail.options")
    second = 10**9
    path = tape(tmp_path / "many.gz", sorted(
        (START_NS + index * second, frame(symbol, index)) for symbol in SYMBOLS for index in range(5)))
    assert called(["tape", "to-topic", path, "--config", config], capsys)[0] == 0

    def seconds(*options: object) -> list[int]:
        code, out, _ = called(["topics", "tail", "raw", "--config", config, *options], capsys)
        assert code == 0
        return [(json.loads(line)["event_time_ns"] - START_NS) // second for line in out.splitlines()]

    assert seconds() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert seconds("--instrument", "BINANCE_USDM:BTCUSDT", "--limit", 2) == [0, 1]
    assert seconds("--from", START_NS + 3 * second) == [3, 3, 4, 4]
    assert seconds("--follow", "--from", "earliest", "--limit", 3) == [0, 0, 1]
    assert called(["topics", "tail", "raw", "--from", "latest", "--config", config], capsys)[0] == 1
    assert called(["topics", "tail", "raw", "--from", "noon", "--config", config], capsys)[0] == 1
    assert called(["topics", "tail", "nothing", "--config", config], capsys)[0] == 2


def test_tail_follows_from_the_end_and_ends_quietly_on_interrupt_and_on_a_closed_pipe(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    config = deployed(kafka, tmp_path, "tail.follow")
    raw = topic(load_settings(config), "raw")
    write(kafka, raw, [OutgoingMessage("before", b"", START_NS)])
    command = [sys.executable, "-m", "sluice", "topics", "tail", "raw", "--follow", "--config", str(config)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as following, subprocess.Popen(command, **pipes) as closed:
        for process in (following, closed):
            assert process.stdout is not None
            # It begins at the end as that is when it has come up, whenever this is.
            while not select.select([process.stdout], [], [], 0.3)[0]:
                write(kafka, raw, [OutgoingMessage("after", b"", START_NS + 1)])
            assert json.loads(process.stdout.readline())["key"] == "after"
        assert closed.stdout is not None
        closed.stdout.close()
        closed.stdout = None
        write(kafka, raw, [OutgoingMessage("unread", b"", START_NS + 2)])
        assert closed.communicate(timeout=20)[1] == ""
        following.send_signal(signal.SIGINT)
        assert following.communicate(timeout=20)[1] == ""
    assert (following.returncode, closed.returncode) == (0, 0)


def test_broker_that_is_away_is_told_in_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "away.toml"
    config.write_text('[kafka]\nbootstrap_servers = ["127.0.0.1:9"]\nrequest_timeout_s = 1\n')
    command = [sys.executable, "-m", "sluice", "topics", "tail", "raw", "--config", str(config)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines() == [
        "Error: Kafka must answer at 127.0.0.1:9 within 1 s, did not: no answer",
        "Fix: start the broker, or correct kafka.bootstrap_servers and kafka.client"]


def test_synthetic_tape_comes_back_whole(
    kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = deployed(kafka, tmp_path, "tape.synthetic")
    made = make_tape(tmp_path / "made", minutes=0.2, start_ns=START_NS - 60 * 10**9)
    assert called(["tape", "to-topic", tmp_path / "made", "--config", config], capsys)[0] == 0
    assert called(["tape", "from-topic", "-o", tmp_path / "out", "--config", config], capsys)[0] == 0
    assert sorted(lines_of(made)) == sorted(lines_of((tmp_path / "out").iterdir()))


@pytest.mark.needs("data")
def test_recorded_tape_comes_back_line_by_line(
    kafka: LocalBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = deployed(kafka, tmp_path, "tape.recorded", 300_000)
    whole = lines_of([recorded_data() / "ticks" / "cm_btcusd_perp_20240808.gz"])[:20_000]
    cut = tape(tmp_path / "cut.gz", [(int(time_ns), payload) for time_ns, payload in (
        line.split(b" ", 1) for line in whole)])
    assert called(["tape", "to-topic", cut, "--config", config], capsys)[0] == 0
    assert called(["tape", "from-topic", "-o", tmp_path / "out", "--config", config], capsys)[0] == 0
    assert lines_of((tmp_path / "out").iterdir()) == whole
