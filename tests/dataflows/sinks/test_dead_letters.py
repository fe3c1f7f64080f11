"""The dead-letter file: each letter once, whatever happens between two snapshots."""

import json
from pathlib import Path

from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.sinks.dead_letters import DeadLetterSink


def a_letter(line: int) -> DeadLetter:
    return DeadLetter(DeadLetterReason.MALFORMED_JSON, "a frame must be JSON", line, 5, b"\xff{not json")


def lines_of(path: Path) -> list[int]:
    return [json.loads(line)["line"] for line in path.read_text().splitlines()]


def test_letters_written_after_the_last_snapshot_are_written_once_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "flow" / "dead_letters.jsonl"
    part = DeadLetterSink(path).build_part("out", "file", None)
    part.write_batch([a_letter(1), a_letter(2)])
    length = part.snapshot()
    part.write_batch([a_letter(3)])
    part.close()
    resumed = DeadLetterSink(path).build_part("out", "file", length)
    resumed.write_batch([a_letter(3), a_letter(4)])
    resumed.close()
    assert lines_of(path) == [1, 2, 3, 4]


def test_a_fresh_run_begins_with_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "dead_letters.jsonl"
    path.write_text("left over\n")
    part = DeadLetterSink(path).build_part("out", "file", None)
    part.write_batch([a_letter(1)])
    part.close()
    assert lines_of(path) == [1]


def test_a_line_says_what_was_wrong_where(tmp_path: Path) -> None:
    path = tmp_path / "dead_letters.jsonl"
    part = DeadLetterSink(path).build_part("out", "file", None)
    part.write_batch([a_letter(7)])
    part.close()
    assert json.loads(path.read_text()) == {
        "reason": "MALFORMED_JSON", "message": "a frame must be JSON", "line": 7, "receive_time_ns": 5,
        "instrument": "", "payload": "�{not json"}
