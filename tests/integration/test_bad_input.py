"""What a person sees who gave something wrong: one clear sentence, the right exit code, never a traceback."""

import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.synthetic import make_tape
from sluice.keys import PRIVATE_KEY_FILE, PUBLIC_KEY_FILE
from sluice.stores.embedded import StoreUrls
from tests.integration.demos import run_demo


def sluice(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "sluice", *arguments], env={**os.environ, **environ},
        capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def test_a_configuration_with_three_mistakes_names_all_three(tmp_path: Path) -> None:
    config = tmp_path / "sluice.toml"
    config.write_text('[risk.limits]\nmax_order_notional = "-5"\nmax_ordr_notional = "7"\n[run]\nclock = "sundial"\n')
    done = sluice("demo", "--config", str(config))
    assert done.returncode == 4
    for part in ("max_order_notional", "max_ordr_notional", "clock", "sundial"):
        assert part in done.stderr


@pytest.mark.parametrize("name", ["inference", "risk", "execution"])
def test_a_port_in_use_is_one_sentence(name: str, stores: StoreUrls, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        make_tape(tmp_path / "tape", minutes=0.5)
        done = sluice(
            "serve", name, SLUICE_RUN__DATA_DIR=str(tmp_path), SLUICE_RUN__NAMESPACE="in_use",
            SLUICE_STORES__POSTGRES_URL=stores.postgres_url, SLUICE_STORES__REDIS_URL=stores.redis_url,
            SLUICE_SOURCE__TAPES=f'["{tmp_path / "tape"}"]', **{f"SLUICE_{name.upper()}__ADDRESS": address})
    assert done.returncode == 3
    assert "in use" in done.stderr
    assert address in done.stderr


@pytest.mark.parametrize("name", ["risk", "execution"])
def test_an_unreachable_database_is_one_sentence_without_the_password(name: str, tmp_path: Path) -> None:
    make_tape(tmp_path / "tape", minutes=0.5)
    done = sluice(
        "serve", name, SLUICE_RUN__DATA_DIR=str(tmp_path), SLUICE_SOURCE__TAPES=f'["{tmp_path / "tape"}"]',
        SLUICE_STORES__POSTGRES_URL="postgresql://user:hunter2@127.0.0.1:1/nowhere")
    assert done.returncode == 3
    assert "PostgreSQL" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(("file", "content", "mode"), [
    (PRIVATE_KEY_FILE, b"no key", 0o600), (PRIVATE_KEY_FILE, b"", 0o644), (PUBLIC_KEY_FILE, b"{", 0o644)])
def test_a_key_file_that_is_wrong_is_one_sentence_and_stays(
    stores: StoreUrls, tmp_path: Path, file: str, content: bytes, mode: int
) -> None:
    path = tmp_path / "keys" / file
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(mode)
    done = sluice(
        "serve", "risk", SLUICE_RUN__DATA_DIR=str(tmp_path), SLUICE_RUN__NAMESPACE="wrong_keys",
        SLUICE_STORES__POSTGRES_URL=stores.postgres_url, SLUICE_STORES__REDIS_URL=stores.redis_url)
    assert done.returncode == 4
    assert f"{path} must" in done.stderr
    assert path.read_bytes() == content


@pytest.mark.parametrize("path", ["missing.gz", "empty"])
def test_a_missing_tape_or_an_empty_folder_is_one_sentence(path: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = sluice("demo", "--tape", str(tmp_path / path), SLUICE_RUN__DATA_DIR=str(tmp_path / "data"))
    assert done.returncode in (1, 2)
    assert "tape" in done.stderr


def test_a_tape_cut_off_in_the_middle_gives_everything_before_the_cut(tmp_path: Path) -> None:
    make_tape(tmp_path / "tape", minutes=1, symbols=("BTCUSDT",))
    (whole,) = (tmp_path / "tape").glob("*.gz")
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    _, summary = run_demo(tmp_path / "run", "--tape", str(cut))
    lines = len(gzip.decompress(whole.read_bytes()).splitlines())
    assert lines // 2 < summary["frames"] < lines
    assert summary["dead_letters_by_reason"] == {"TRUNCATED_FILE": 1}
    assert summary["frames"] == summary["events"]


BAD = {
    b"no line at all": "MALFORMED_LINE",
    b"{TIME} {no json": "MALFORMED_JSON",
    b'{TIME} {"stream":"nopeusdt@trade","data":{"e":"trade","s":"NOPEUSDT"}}': "UNKNOWN_INSTRUMENT",
    b'{TIME} {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":1,"p":"-5","q":"1",'
    b'"X":"MARKET","m":true}}': "INVALID_PRICE",
    b'{TIME} {"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":9999999999999998,'
    b'"u":9999999999999999,"pu":9999999999999997,"b":[],"a":[]}}': "SEQUENCE_GAP",
}


#: What the exchange sets aside, as it has no stream for it; the flow never sees these.
UNSERVED = {"MALFORMED_LINE", "MALFORMED_JSON", "UNKNOWN_INSTRUMENT"}


@pytest.mark.parametrize(("way", "unserved"), [((), UNSERVED), (("--in-process",), set())])
def test_bad_lines_are_counted_by_reason_and_nothing_else_is_lost(
    way: tuple[str, ...], unserved: set[str], tmp_path: Path
) -> None:
    make_tape(tmp_path / "tape", minutes=1, symbols=("BTCUSDT",))
    (whole,) = (tmp_path / "tape").glob("*.gz")
    lines = gzip.decompress(whole.read_bytes()).splitlines()
    place = len(lines) * 3 // 4
    time_ns = lines[place].split(b" ", 1)[0]
    bad = [line.replace(b"{TIME}", time_ns) for line in BAD]
    (tmp_path / "bad.txt").write_bytes(b"\n".join([*lines[:place], *bad, *lines[place:]]) + b"\n")
    _, summary = run_demo(tmp_path / "run", "--tape", str(tmp_path / "bad.txt"), *way)
    found = summary["dead_letters_by_reason"]
    assert summary["frames"] == len(lines) + len(bad)
    assert summary["frames"] == summary["events"] + summary["dead_letters"]
    for reason in BAD.values():
        assert found[reason] >= 1, reason
    letters = (tmp_path / "run" / "demo" / "flow" / "dead_letters.jsonl").read_text().splitlines()
    assert len(letters) == summary["dead_letters"] - sum(found[reason] for reason in unserved)
