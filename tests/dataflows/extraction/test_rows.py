"""Rows of tapes read in blocks are those of the actors fed with frames, whatever lies in the tapes."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actors.market import MarketActor
from dataflows.codecs.binance import symbol_of, unroutable
from dataflows.deadletters import DeadLetter
from dataflows.extraction.lots import FrameSorter
from dataflows.extraction.rows import TapeRows
from dataflows.tapes.blocks import FrameBlock
from dataflows.tapes.frames import Frame
from dataflows.tapes.merging import merged_blocks
from dataflows.tapes.reader import TapeReader
from dataflows.ticks import TickGrid
from sluice.instruments import InstrumentCatalog
from tests.dataflows.actors.streams import SECOND, frame_streams
from tests.dataflows.codecs import wire
from tests.dataflows.tapes.helpers import DATA, needs_data, write

CATALOG = InstrumentCatalog.shipped()


def frame_by_frame(tapes: Sequence[Path]) -> tuple[list[str], list[DeadLetter], Counter[str], int]:
    """Return rows, dead letters of the actors, counts of all dead letters, and lines."""
    grid, rows, letters, counts, lines = TickGrid(SECOND), list[str](), list[DeadLetter](), Counter[str](), 0
    actors, waiting = dict[str, MarketActor](), defaultdict[str, list[Frame]](list)

    def flush() -> None:
        for key, frames in waiting.items():
            actor = actors.setdefault(key, MarketActor(CATALOG.require(key)))
            letters.extend(actor.on_frames(frames))
        waiting.clear()

    for item in TapeReader(tapes):
        lines = max(lines, item.sequence)
        if isinstance(item, DeadLetter):
            counts[item.reason.name] += 1
            continue
        for tick in grid.due(item.receive_time_ns):
            flush()
            rows += [repr(actors[key].on_tick(tick)) for key in sorted(actors)]
        symbol = symbol_of(item.payload, item.symbol_hint)
        instrument = CATALOG.by_symbol(symbol or "")
        if instrument is None:
            counts["UNKNOWN_INSTRUMENT" if symbol else unroutable(item.payload).reason.name] += 1
            continue
        waiting[instrument.key].append(item)
    flush()
    counts.update(letter.reason.name for letter in letters)
    return rows, by_line(letters), counts, lines


def by_line(letters: list[DeadLetter]) -> list[DeadLetter]:
    return sorted(letters, key=lambda letter: letter.sequence)


def in_blocks(tapes: Sequence[Path]) -> tuple[list[str], Counter[str], int]:
    found = TapeRows(CATALOG, SECOND)
    rows = [repr(row) for rows in found.ticks(tapes) for row in rows]
    return rows, found.dead_letters, found.lines


STRANGE = st.sampled_from([
    b"no line", b"", b"{}", b'{"s":"MOONUSDT"}', b'{"e":"trade","s":', b'{ "s" : "ETHUSDT", "e" : "trade" }',
    wire.snapshot(3, [("90.0", "1")], [("110.0", "1")]), wire.trade("100.0", "1").replace(b"BTC", b"ETH"), b"\xff"])


@st.composite
def tape_texts(draw: st.DrawFn) -> list[bytes]:
    """Make the lines of a tape: frames of one instrument with strange lines between them."""
    own = draw(st.sampled_from([b"BTCUSDT", b"ETHUSDT", b"MOONUSDT"]))
    lines = list[bytes]()
    for frame in draw(frame_streams(25)):
        payloads = [frame.payload.replace(b"BTCUSDT", own).replace(b"\n", b" ")]
        if draw(st.integers(0, 3)) == 0:
            payloads.insert(0, draw(STRANGE))
        lines.extend(
            payload if payload == b"no line" else b"%d %b" % (frame.receive_time_ns, payload) for payload in payloads)
    return lines


@settings(max_examples=40)
@given(st.lists(tape_texts(), min_size=1, max_size=3), st.sampled_from([200, 3000, 512 * 1024]))
def test_rows_counts_and_lines_do_not_depend_on_how_a_tape_is_read(tapes: list[list[bytes]], block_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataflows.extraction.rows.BLOCK_BYTES", block_bytes)
        paths = [write(Path(folder) / f"{at}.txt", lines) for at, lines in enumerate(tapes)]
        rows, letters, counts, lines = frame_by_frame(paths)
        assert in_blocks(paths) == (rows, counts, lines)
        assert letters_of(list(merged_blocks(paths, block_bytes))) == letters


def letters_of(blocks: list[FrameBlock]) -> list[DeadLetter]:
    """Return the dead letters of all actors in the order of lines."""
    sorter = FrameSorter({instrument.symbol for instrument in CATALOG})
    actors = {instrument.symbol: MarketActor(instrument) for instrument in CATALOG}
    letters, before = list[DeadLetter](), 0
    for block in blocks:
        for symbol, lot in sorter.lots(block, before).items():
            letters += actors[symbol].on_block(lot.buffer, lot.starts, lot.ends, lot.times_ns, lot.sequences)
        before += block.lines
    return by_line(letters)


@needs_data("ticks")
def test_rows_of_recorded_tapes_that_overlap_are_those_of_their_frames() -> None:
    tapes = [DATA / "ticks" / name for name in ("usdm_btcusdt_20240808.gz", "usdm_ethusdt_20240808.gz")]
    rows, _, counts, lines = frame_by_frame(tapes)
    assert len(rows) > 500
    assert in_blocks(tapes) == (rows, counts, lines)
