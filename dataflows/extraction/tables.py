"""Feature rows as Parquet: a column each for instrument, time, top of the book and features, the schema beside them.

A value that is not valid is null. The schema's name, version and hash are in the file's metadata, so that nobody reads
one column as another. A file appears whole or not at all. Where rows come from is not known here.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from dataflows.actors.market_rows import FeatureRow
from dataflows.indicators.schema import FeatureSchema
from dataflows.kernels import Flags, Floats, Integers
from sluice.errors import InputError, NotFoundError

_NAME, _VERSION, _HASH = "sluice.schema.name", "sluice.schema.version", "sluice.schema.hash"
_NOT_OURS = "make it with `sluice features`"
#: The columns before the features. Prices are null while the book is not known.
LEADING: dict[str, pl.DataType] = {
    "instrument": pl.String(),
    "event_time": pl.Datetime("ns", "UTC"),
    "sequence": pl.Int64(),
    "synced": pl.Boolean(),
    "best_bid": pl.Float64(),
    "best_ask": pl.Float64(),
}


def empty_table(schema: FeatureSchema) -> pl.DataFrame:
    """Return a table of a schema without rows."""
    return pl.DataFrame(schema={**LEADING, **dict.fromkeys(schema.features, pl.Float64())})


def table_of(rows: Sequence[FeatureRow], schema: FeatureSchema) -> pl.DataFrame:
    """Return rows of one schema as a table. Raises `InputError` where one is of another."""
    for row in rows:
        if row.schema_hash != schema.hash:
            raise InputError(f"a row must be of schema {schema.name} {schema.hash[:12]}, was of {row.schema_hash[:12]}")
    values = np.array([row.values for row in rows], np.float64).reshape(len(rows), len(schema.features))
    return features_table(
        values, schema,
        instruments=[row.instrument for row in rows],
        times_ns=[row.event_time_ns for row in rows],
        sequences=[row.sequence for row in rows],
        synced=[row.top.synced for row in rows],
        best_bids=[row.top.best_bid for row in rows],
        best_asks=[row.top.best_ask for row in rows],
    )


def features_table(
    values: Floats, schema: FeatureSchema, *, instruments: Sequence[str], times_ns: Integers | Sequence[int],
    sequences: Integers | Sequence[int], synced: Flags | Sequence[bool], best_bids: Floats | Sequence[float],
    best_asks: Floats | Sequence[float],
) -> pl.DataFrame:
    """Return columns as a table; `values` has the shape (rows, features), NaN where one is not valid."""
    leading = (instruments, times_ns, sequences, synced, best_bids, best_asks)
    columns = {
        name: pl.Series(name, column, dtype=pl.Int64() if name == "event_time" else kind).cast(kind)
        for (name, kind), column in zip(LEADING.items(), leading, strict=True)}
    features = pl.from_numpy(np.asarray(values, np.float64), schema=list(schema.features))
    return pl.DataFrame(columns).hstack(features).with_columns(pl.col(pl.Float64).fill_nan(None))


class FeatureFile:
    """Writes tables of one schema into one file that appears when the block ends without an error.

    On the way the tables lie in a folder beside it, so that memory does not grow with the number of rows. Raises
    `InputError` where the file cannot be written.
    """

    def __init__(self, path: Path, schema: FeatureSchema) -> None:
        self._path = path
        self._schema = schema
        self._parts: list[Path] = []
        self.rows = 0

    def __enter__(self) -> Self:
        """Make the folder on the way."""
        if self._path.is_dir():
            raise InputError(f"{self._path} must be a file to write, was a folder", fix="name a file: -o out.parquet")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=".writing-", dir=self._path.parent))
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the file in its place where all went well."""
        try:
            if kind is None:
                self._finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, table: pl.DataFrame) -> None:
        """Add rows behind those so far."""
        part = self._folder / f"{len(self._parts):06}.parquet"
        _write(self._path, part, table.lazy(), self._schema)
        self._parts.append(part)
        self.rows += table.height

    def _finish(self) -> None:
        if not self._parts:
            self.add(empty_table(self._schema))
        whole = self._parts[0]
        if len(self._parts) > 1:
            whole = self._folder / "whole.parquet"
            _write(self._path, whole, pl.scan_parquet(self._parts), self._schema)
        try:
            whole.replace(self._path)
        except OSError as error:
            raise _unwritable(self._path, error) from error


def _write(meant: Path, path: Path, table: pl.LazyFrame, schema: FeatureSchema) -> None:
    try:
        table.sink_parquet(path, metadata={_NAME: schema.name, _VERSION: str(schema.version), _HASH: schema.hash})
    except (OSError, PolarsError) as error:
        raise _unwritable(meant, error) from error


def _unwritable(path: Path, error: Exception) -> InputError:
    reason = (error.strerror if isinstance(error, OSError) else None) or (str(error).splitlines() or ["unknown"])[0]
    return InputError(f"{path} must be writable, was not: {reason}",
                      fix="look at the path, its owner and mode, and the space on its disk")


def schema_of_file(path: Path) -> FeatureSchema:
    """Return the schema that a file names, held against its columns.

    Raises `NotFoundError` where there is no file, `InputError` where it is no such file or of a schema that this
    version does not have.
    """
    try:
        metadata = pl.read_parquet_metadata(path)
        columns = pl.read_parquet_schema(path)
    except FileNotFoundError as error:
        raise NotFoundError(f"feature file must exist, was not found: {path}", fix=_NOT_OURS) from error
    except (OSError, PolarsError) as error:
        raise InputError(f"{path} must be Parquet, was not readable", fix=_NOT_OURS) from error
    if not {_NAME, _VERSION, _HASH} <= metadata.keys() or list(columns)[: len(LEADING)] != list(LEADING):
        raise InputError(f"{path} must hold feature rows with their schema, held none", fix=_NOT_OURS)
    return _known(path, metadata, tuple(columns)[len(LEADING) :])


def _known(path: Path, metadata: dict[str, str], features: tuple[str, ...]) -> FeatureSchema:
    from dataflows.indicators.schemas import schema_named  # noqa: PLC0415  # every family: whoever writes needs none

    named = f"{metadata[_NAME]} version {metadata[_VERSION]}"
    try:
        known = schema_named(metadata[_NAME])
    except NotFoundError as error:
        raise InputError(f"{path} must be of a known schema, was of {named}: {error.message}", fix=_NOT_OURS) from error
    if known.hash != metadata[_HASH]:
        raise InputError(
            f"{path} must be of schema {known.name} version {known.version}, {known.hash[:12]}, was of {named}, "
            f"{metadata[_HASH][:12]}", fix="make the file again with this version of sluice")
    if known.features != features:
        raise InputError(f"the columns of {path} must be those of {named}, were others", fix=_NOT_OURS)
    return known


def read_features(path: Path, schema: FeatureSchema | None = None) -> tuple[FeatureSchema, pl.DataFrame]:
    """Return the schema and the rows of a file, or of a folder with all files below it, ordered by their names.

    Raises as `schema_of_file` does, and `InputError` where a file is of another schema than `schema` or the first one.
    """
    files = _files_below(path) if path.is_dir() else [path]
    if not files:
        raise NotFoundError(f"feature files must be in {path}, none were", fix=_NOT_OURS)
    for file in files:
        found = schema_of_file(file)
        schema = schema or found
        if found != schema:
            raise InputError(
                f"{file} must be of schema {schema.name} version {schema.version}, {schema.hash[:12]}, was of "
                f"{found.name} version {found.version}, {found.hash[:12]}", fix="read files of one schema at a time")
    assert schema is not None
    try:
        return schema, pl.concat([pl.read_parquet(file) for file in files])
    except (OSError, PolarsError) as error:
        raise InputError(f"{path} must be whole, was not readable: {error}", fix=_NOT_OURS) from error


def _files_below(folder: Path) -> list[Path]:
    """Return the files of a folder without those that are still being written, which lie in hidden folders."""
    found = sorted(folder.rglob("*.parquet"))
    return [file for file in found if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
