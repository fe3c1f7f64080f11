"""`sluice serve exchange` as a process: its start-up line, its end, and what it says where it cannot start."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ENDED_S = 60


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sluice", "serve", "exchange", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_clients_go_serves_and_ends_in_order(tape: Path, number: signal.Signals) -> None:
    process = start("--tape", str(tape), "--address", "127.0.0.1:0", "--json")
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        text += process.stdout.readline()
    said = json.loads(text)
    with urllib.request.urlopen(f"{said['rest']}/fapi/v1/time") as answer:
        assert "serverTime" in json.load(answer)
    process.send_signal(number)
    _, errors = process.communicate(timeout=ENDED_S)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_it_ends_at_the_end_of_its_tape_where_it_shall(tape: Path) -> None:
    process = start("--tape", str(tape), "--address", "127.0.0.1:0", "--pace", "1000x", "--at-end", "exit")
    output, errors = process.communicate(timeout=ENDED_S)
    assert process.returncode == 0, errors
    assert "exchange listens on 127.0.0.1:" in output


def test_a_port_that_is_taken_is_said_in_words(tape: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("--tape", str(tape), "--address", f"127.0.0.1:{taken.getsockname()[1]}")
        _, errors = process.communicate(timeout=ENDED_S)
    assert process.returncode == 3
    assert "exchange.address must be free" in errors


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["--tape", "/nowhere.gz"], 2, "a tape must exist"),
    (["--synthetic", "--pace", "lockstep"], 1, "lockstep must have a tape"),
    (["--synthetic", "--pace", "fast"], 1, "--pace must be"),
    (["--synthetic", "--address", "nonsense"], 1, "--address must be"),
    (["--synthetic", "--journal", "/tmp/journal"], 1, "a journal must belong to a tape"),
])
def test_what_cannot_be_served_is_said_in_words(arguments: list[str], code: int, words: str) -> None:
    process = start("--address", "127.0.0.1:0", *arguments) if "--address" not in arguments else start(*arguments)
    _, errors = process.communicate(timeout=ENDED_S)
    assert process.returncode == code, errors
    assert words in errors
    assert "Traceback" not in errors
