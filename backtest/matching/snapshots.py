"""A state as bytes and back, and a state with the same market for another account."""

import io
import zipfile

import numpy as np

from backtest.matching.state import CELL, CORE, MatchingState, copy_state, new_state
from dataflows.kernels import RecordArray
from sluice.errors import InputError


def to_bytes(state: MatchingState) -> bytes:
    """Return the whole state as bytes, as small as its content is repetitive (compressed arrays of NumPy)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **state._asdict())
    return buffer.getvalue()


def from_bytes(data: bytes) -> MatchingState:
    """Return the state of `to_bytes`. Raises `InputError` where these are no such bytes."""
    pattern = new_state()
    try:
        with np.load(io.BytesIO(data)) as arrays:
            parts = [arrays[name] for name in MatchingState._fields]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"a matching state must be whole: {error}") from error
    for name, part, same in zip(MatchingState._fields, parts, pattern, strict=True):
        if part.dtype != same.dtype or part.ndim != same.ndim:
            raise InputError(f"{name} of a matching state must be of this version, was not")
    return MatchingState(*(_as_kernels_want(part, same) for part, same in zip(parts, pattern, strict=True)))


def _as_kernels_want(part: RecordArray, same: RecordArray) -> RecordArray:
    """Return a copy whose type says that it is aligned, which a file does not keep: kernels compile by it."""
    copy = np.empty(part.shape, same.dtype)
    copy[...] = part
    return copy


_MARKET = (
    "bids", "asks", "synced", "cleared", "book_time", "venue_time", "epoch", "last_nanoticks", "mark_nanoticks",
    "highest_buy_ticks", "lowest_sell_ticks", "queue_model", "queue_power", "quantity_per_lot", "partial_fills",
    "newer_level_wins", "simultaneous_trades", "submit_triggered", "impact_model", "impact_ticks", "impact_lots",
    "sequence", "market_fresh", "market_free", "market_live")


def twin(state: MatchingState) -> MatchingState:
    """Return a state with the same market and settings, without orders, positions or anything taken."""
    fresh, market = new_state(), copy_state(state)
    core = np.zeros(1, CORE)
    for name in _MARKET:
        core[name] = market.core[name]
    for cells in (market.bids, market.asks):
        assert cells.dtype == CELL
        cells["own"] = 0
        cells["taken"] = 0
    return fresh._replace(
        core=core, bids=market.bids, asks=market.asks, market_orders=market.market_orders,
        market_index=market.market_index)
