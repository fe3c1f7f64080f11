"""`sluice record`: what an exchange sends becomes tapes that can be read back."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from aiohttp import web

from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from tests.dataflows.sources.exchange.running import depth, snapshot, trade
from tests.dataflows.sources.exchange.small_exchange import Session, SmallExchange, serving

SENT = [depth(5, 12, 4), *(trade(number, symbol) for number in range(50) for symbol in ("BTCUSDT", "ETHUSDT"))]


async def script(session: Session) -> None:
    for payload in SENT:
        if any(stream.encode() in payload for stream in session.streams):
            await session.send(payload)
    if session.route == "market":
        await session.send("no json\nat all")
        await session.send("")
    await session.for_ever()


async def answer(request: web.Request) -> web.Response:
    return web.Response(body=snapshot(10))


POLLED = b'{"openInterest":"10659.509","symbol":"BTCUSDT","time":1}'


async def open_interest(request: web.Request) -> web.Response:
    return web.Response(body=POLLED) if request.query["symbol"] == "BTCUSDT" else web.Response(status=400)


def environ(exchange: SmallExchange) -> dict[str, str]:
    return {**os.environ,
            "SLUICE_SOURCE__INSTRUMENTS": '["BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"]',
            "SLUICE_SOURCE__EXCHANGE__STREAMS": '["depth@100ms", "aggTrade"]',
            "SLUICE_SOURCE__EXCHANGE__USDM__REST_URL": f"http://127.0.0.1:{exchange.port}",
            "SLUICE_SOURCE__EXCHANGE__USDM__STREAM_URL": f"ws://127.0.0.1:{exchange.port}"}


def payloads(path: Path) -> list[bytes]:
    return [item.payload for item in TapeReader([path]) if isinstance(item, Frame)]


def test_each_instrument_gets_a_tape_with_all_that_was_asked_for_and_the_rest_one_of_its_own(tmp_path: Path) -> None:
    with serving(script, answer, open_interest=open_interest) as exchange:
        done = subprocess.run(
            [sys.executable, "-m", "sluice", "record", "-o", str(tmp_path), "--seconds", "3", "--json"],
            env=environ(exchange), capture_output=True, text=True, check=True)
    files = {Path(path).name.rsplit("_", 1)[0]: Path(path) for path in json.loads(done.stdout)["files"]}
    assert set(files) == {"binance_usdm_btcusdt", "binance_usdm_ethusdt", "unrouted"}
    btc = payloads(files["binance_usdm_btcusdt"])
    assert sorted(btc) == sorted([depth(5, 12, 4), snapshot(10), POLLED, *(trade(number) for number in range(50))])
    assert payloads(files["binance_usdm_ethusdt"]) == [trade(number, "ETHUSDT") for number in range(50)]
    assert payloads(files["unrouted"]) == [b"no json at all"]
    hints = {item.symbol_hint for item in TapeReader([files["binance_usdm_btcusdt"]]) if isinstance(item, Frame)}
    assert hints == {"BTCUSDT"}


def test_sigterm_ends_a_recording_with_whole_files(tmp_path: Path) -> None:
    with serving(script, answer) as exchange:
        process = subprocess.Popen(
            [sys.executable, "-m", "sluice", "record", "-o", str(tmp_path), "--json"],
            env=environ(exchange), stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("*.gz"))) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert sum(json.loads(output)["files"].values()) == len(list(TapeReader([tmp_path])))
