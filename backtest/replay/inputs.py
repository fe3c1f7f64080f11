"""Where the rows of a backtest come from: compiled tapes (.npz, .npy), Parquet with the same columns, and raw tapes.

Rows are those of `dataflows.tapes.rows`. An .npy is mapped, not read: a long history costs no memory of its own.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataflows.tapes import rows as layout
from dataflows.tapes.rows import EVENT_DTYPE, Rows
from sluice.errors import InputError, NotFoundError

#: Columns that a Parquet file must have; the others are 0 where they are missing.
_NEEDED = ("ev", "exch_ts", "local_ts", "px", "qty")


def load_rows(paths: Sequence[Path], symbol: str = "") -> Rows:
    """Return the rows of one instrument from files in order of time; raw tapes are compiled together.

    `symbol` says which instrument of a raw tape is meant, where there are several. Raises `NotFoundError` for a file
    or symbol that is not there and `InputError` for a file that cannot be read.
    """
    if not paths:
        raise InputError("a backtest must have a file with rows, was without any")
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"a tape must exist, {str(path)!r} does not")
    compiled = [path for path in paths if path.suffix in _READERS]
    if not compiled:
        return _compile(paths, symbol)
    if len(compiled) < len(paths):
        raise InputError("tapes of one backtest must be all compiled or all raw, was a mixture")
    parts = [_checked(path, _READERS[path.suffix](path)) for path in paths]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _read_npz(path: Path) -> Rows:
    from dataflows.tapes.compiled import load_compiled  # noqa: PLC0415  # msgspec and more, not needed by an .npy

    return load_compiled(path)


def _read_npy(path: Path) -> Rows:
    try:
        rows: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"a compiled tape must be an .npy of rows, was {str(path)!r}: {error}") from error
    return rows.view(np.ndarray)


def _read_parquet(path: Path) -> Rows:
    import polars as pl  # noqa: PLC0415  # a tenth of a second that only Parquet costs

    try:
        frame = pl.read_parquet(path)
        rows = np.zeros(frame.height, EVENT_DTYPE)
        for name in EVENT_DTYPE.names or ():
            if name in frame.columns or name in _NEEDED:
                rows[name] = frame[name].to_numpy()
    except (OSError, ValueError, TypeError, pl.exceptions.PolarsError) as error:
        needed = ", ".join(_NEEDED)
        raise InputError(f"a Parquet tape must have the columns {needed}, was {str(path)!r}: {error}") from error
    return rows


_READERS = {".npz": _read_npz, ".npy": _read_npy, ".parquet": _read_parquet}


def _checked(path: Path, rows: Rows) -> Rows:
    if rows.dtype != EVENT_DTYPE or rows.ndim != 1:
        raise InputError(f"a compiled tape must hold rows of {EVENT_DTYPE}, was {rows.dtype} in {str(path)!r}")
    return rows


def _compile(paths: Sequence[Path], symbol: str) -> Rows:
    """Compile raw tapes in memory, with the least shift of local times."""
    from dataflows.tapes.compiled import TapeCompiler, least_shift  # noqa: PLC0415  # only raw tapes need decoders
    from dataflows.tapes.reader import TapeReader  # noqa: PLC0415

    compiler = TapeCompiler()
    for item in TapeReader(list(paths)):
        compiler.take(item)
    symbols = sorted(compiler.columns)
    wanted = symbol or (symbols[0] if len(symbols) == 1 else "")
    if wanted not in compiler.columns:
        named = f"was {symbol!r}" if symbol else "was not named"
        raise NotFoundError(f"the symbol must be one of the tape's ({', '.join(symbols) or 'none'}), {named}")
    tables = {name: columns.rows() for name, columns in compiler.columns.items()}
    rows = tables[wanted]
    rows["local_ts"] += least_shift(tables.values())
    return layout.ordered(rows)
