"""A compiled tape holds the book and the trades of a raw one, in hftbacktest's layout."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.synthetic import make_tape
from dataflows.tapes.compiled import CompiledTape, compile_tapes, load_compiled
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EVENT_DTYPE,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    Rows,
)
from sluice.errors import InputError
from tests.dataflows.tapes.helpers import DATA, START_NS, line, needs_data, write

T = START_NS // 10**6
BOTH = EXCH_EVENT | LOCAL_EVENT


def enveloped(data: dict[str, Any]) -> bytes:
    return json.dumps({"stream": "x", "data": data}, separators=(",", ":")).encode()


def diff(time_ms: int, last_id: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    data = {"e": "depthUpdate", "E": time_ms, "T": time_ms, "s": "BTCUSDT", "U": 1, "u": last_id, "b": bids, "a": asks}
    return enveloped(data)


def trade(time_ms: int, execution: str = "MARKET", kind: str = "trade") -> bytes:
    return enveloped({"e": kind, "T": time_ms, "s": "BTCUSDT", "p": "10.5", "q": "2", "m": True, "X": execution})


def compiled(tmp_path: Path, payloads: list[bytes], shift_ns: int | None = 0) -> tuple[CompiledTape, Rows]:
    tape = write(tmp_path / "raw.txt", [line(10**6 * (n + 1), payload) for n, payload in enumerate(payloads)])
    made = compile_tapes([tape], tmp_path / "out", shift_ns=shift_ns, progress=lambda _part: None)
    return made, load_compiled(made.files["BTCUSDT"])


def test_levels_and_trades_become_rows_with_both_times(tmp_path: Path) -> None:
    made, rows = compiled(tmp_path, [diff(T, 5, [["10.0", "1"]], [["11.0", "0"], ["12.0", "3"]]), trade(T + 1)])
    assert made.rows == {"BTCUSDT": 4}
    assert made.files["BTCUSDT"].name == "btcusdt.npz"
    assert rows.dtype == EVENT_DTYPE
    assert rows["ev"].tolist() == [
        BOTH | DEPTH_EVENT | BUY_EVENT,
        BOTH | DEPTH_EVENT | SELL_EVENT,
        BOTH | DEPTH_EVENT | SELL_EVENT,
        BOTH | TRADE_EVENT | SELL_EVENT,
    ]
    assert rows["px"].tolist() == [10.0, 11.0, 12.0, 10.5]
    assert rows["qty"].tolist() == [1.0, 0.0, 3.0, 2.0]
    assert rows["exch_ts"].tolist() == [T * 10**6] * 3 + [(T + 1) * 10**6]
    assert rows["local_ts"].tolist() == [START_NS + 10**6] * 3 + [START_NS + 2 * 10**6]


def test_a_snapshot_clears_as_far_as_it_goes_and_newer_diffs_from_before_it_are_applied_again(tmp_path: Path) -> None:
    snapshot = {"lastUpdateId": 6, "E": T, "T": T, "bids": [["10", "1"], ["9", "1"]], "asks": [["11", "1"]]}
    diffs = [diff(T, 5, [["8", "1"]], []), diff(T, 7, [["9", "2"]], [])]
    later = [diff(T, 4, [["7", "9"]], []), diff(T, 9, [["6", "1"]], [])]
    made, rows = compiled(tmp_path, [*diffs, json.dumps(snapshot).encode(), *later])
    assert [(int(row["ev"]) & 0xFF, float(row["px"])) for row in rows] == [
        (DEPTH_EVENT, 8.0),
        (DEPTH_EVENT, 9.0),
        (DEPTH_CLEAR_EVENT, 9.0),
        (DEPTH_SNAPSHOT_EVENT, 10.0),
        (DEPTH_SNAPSHOT_EVENT, 9.0),
        (DEPTH_CLEAR_EVENT, 11.0),
        (DEPTH_SNAPSHOT_EVENT, 11.0),
        (DEPTH_EVENT, 9.0),
        (DEPTH_EVENT, 6.0),
    ]
    assert made.left_out == {"diffs older than their snapshot": 1}


def test_aggregate_trades_are_kept_only_where_there_are_no_single_ones(tmp_path: Path) -> None:
    aggregates = [trade(T, kind="aggTrade"), trade(T, kind="aggTrade")]
    assert len(compiled(tmp_path, aggregates)[1]) == 2
    assert len(compiled(tmp_path, [*aggregates, trade(T)])[1]) == 1


def test_what_is_left_out_is_counted_by_its_reason(tmp_path: Path) -> None:
    bad = [b"{", enveloped({"e": "trade", "s": "BTCUSDT"}), enveloped({"e": "kline", "s": "BTCUSDT"})]
    made, rows = compiled(tmp_path, [*bad, trade(T, "INSURANCE_FUND"), b'{"e":"trade",', trade(T)])
    assert len(rows) == 1
    assert made.left_out == {"other events": 2, "MALFORMED_EVENT": 1, "trades outside the book": 1, "MALFORMED_JSON": 1}


def test_local_times_are_shifted_just_so_that_nothing_is_received_before_it_happened(tmp_path: Path) -> None:
    made, rows = compiled(tmp_path, [trade(T + 1_000), trade(T + 1_500)], shift_ns=None)
    assert made.shift_ns == 1_500 * 10**6 - 2 * 10**6
    assert (rows["local_ts"] - rows["exch_ts"]).min() == 0
    made, _ = compiled(tmp_path, [trade(T), trade(T)], shift_ns=None)
    assert made.shift_ns == 0


def test_a_tape_without_anything_to_compile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="to compile"):
        compiled(tmp_path, [enveloped({"e": "kline", "s": "BTCUSDT"})])


def test_a_file_that_is_no_compiled_tape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="compiled tape"):
        load_compiled(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", data=np.zeros(3))
    with pytest.raises(InputError, match="rows of"):
        load_compiled(tmp_path / "b.npz")


def final_book(rows: Rows) -> tuple[float, float]:
    """Replay local rows the way an engine does; return the best prices at the end."""
    sides: dict[int, dict[float, float]] = {BUY_EVENT: {}, SELL_EVENT: {}}
    for row in rows[(rows["ev"] & np.uint64(LOCAL_EVENT)) != 0]:
        flags, price, quantity = int(row["ev"]), float(row["px"]), float(row["qty"])
        side = BUY_EVENT if flags & BUY_EVENT else SELL_EVENT
        kind = flags & 0xFF
        if kind == DEPTH_CLEAR_EVENT:
            beyond = -1 if side == BUY_EVENT else 1
            sides[side] = {p: q for p, q in sides[side].items() if beyond * p > beyond * price}
        elif kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT) and quantity:
            sides[side][price] = quantity
        elif kind == DEPTH_EVENT:
            sides[side].pop(price, None)
    return max(sides[BUY_EVENT]), min(sides[SELL_EVENT])


def test_the_book_of_a_compiled_synthetic_tape_is_the_one_its_quotes_say(tmp_path: Path) -> None:
    (tape,) = make_tape(tmp_path, minutes=0.5, symbols=("SOLUSDT",))
    made = compile_tapes([tape], tmp_path, shift_ns=None, progress=lambda _part: None)
    assert made.shift_ns == 0
    bid, ask = final_book(load_compiled(made.files["SOLUSDT"]))
    lines = [one.partition(b" ")[2] for one in gzip.decompress(tape.read_bytes()).splitlines()]
    events = [json.loads(one).get("data", {}) for one in lines]
    last_id = max(event["u"] for event in events if event.get("e") == "depthUpdate")
    told = max(
        (e for e in events if e.get("e") == "bookTicker" and e["u"] <= last_id), key=lambda event: int(event["u"])
    )
    assert (bid, ask) == (float(told["b"]), float(told["a"]))


@needs_data("ticks")
def test_a_recorded_tape_compiles_with_its_clock_put_right(tmp_path: Path) -> None:
    tape = DATA / "ticks" / "usdm_ethusdt_20240808.gz"
    made = compile_tapes([tape], tmp_path, shift_ns=None, progress=lambda _part: None)
    rows = load_compiled(made.files["ETHUSDT"])
    assert 1.2e9 < made.shift_ns < 1.4e9  # the recorder's clock runs 1.27 s behind
    trades = (rows["ev"] & np.uint64(0xFF)) == TRADE_EVENT
    local = (rows["ev"] & np.uint64(LOCAL_EVENT)) != 0
    assert int((trades & local).sum()) == 14_076 - made.left_out.get("trades outside the book", 0)
    bid, ask = final_book(rows)
    assert 2_600 < bid < ask < 2_800
    assert ask - bid < 0.1
