"""What a tape holds: lines, bad lines by reason, streams, symbols, times and rates. The JSON itself is not checked."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dataflows.deadletters import DeadLetter
from dataflows.tapes.reader import TapeReader, symbols

_STREAM = b'{"stream":"'


@dataclass(frozen=True, slots=True)
class TapeSummary:
    """Figures of one or more tapes read as one. Times are 0 where there is no frame at all."""

    files: tuple[str, ...]
    file_bytes: int
    lines: int
    bad_lines: dict[str, int]
    truncated_files: int
    symbols: tuple[str, ...]
    streams: dict[str, int]
    first_time_ns: int
    last_time_ns: int

    @property
    def seconds(self) -> float:
        """Return the time from the first frame to the last."""
        return (self.last_time_ns - self.first_time_ns) / 1e9

    @property
    def lines_per_second(self) -> float:
        """Return the mean rate, 0 for a tape of no length."""
        return self.lines / self.seconds if self.seconds else 0.0

    def as_data(self) -> dict[str, object]:
        """Return everything as plain data for JSON."""
        return {
            "files": list(self.files),
            "file_bytes": self.file_bytes,
            "lines": self.lines,
            "bad_lines": self.bad_lines,
            "truncated_files": self.truncated_files,
            "symbols": list(self.symbols),
            "streams": self.streams,
            "first_time": _time(self.first_time_ns),
            "last_time": _time(self.last_time_ns),
            "seconds": round(self.seconds, 3),
            "lines_per_second": round(self.lines_per_second, 1),
        }

    def text(self) -> str:
        """Return it for a person."""
        bad = ", ".join(f"{reason} {count:,}" for reason, count in self.bad_lines.items()) or "none"
        rows = [
            ("files", f"{len(self.files)}, {self.file_bytes / 1e6:.1f} MB"),
            ("lines", f"{self.lines:,} ({self.lines_per_second:,.0f} a second)"),
            ("bad lines", bad),
            ("truncated files", str(self.truncated_files)),
            ("symbols", ", ".join(self.symbols) or "none"),
            ("from", _time(self.first_time_ns)),
            ("to", f"{_time(self.last_time_ns)} ({self.seconds:,.1f} s)"),
        ]
        lines = [f"{name:<16} {value}" for name, value in rows]
        return "\n".join([*lines, "streams", *(f"  {name:<32} {count:>10,}" for name, count in self.streams.items())])


def summarise(paths: Sequence[Path], progress: Callable[[float], None]) -> TapeSummary:
    """Read tapes whole and count. Raises as `TapeReader` does."""
    streams, bad, times = Counter[str](), Counter[str](), [0, 0]
    reader = TapeReader(paths)
    reader = TapeReader(paths, on_read=parts_of(reader.tapes, progress))
    for item in reader:
        if isinstance(item, DeadLetter):
            bad[item.reason.name] += 1
            continue
        streams[_stream_of(item.payload)] += 1
        times = [times[0] or item.receive_time_ns, item.receive_time_ns]
    truncated = bad.pop("TRUNCATED_FILE", 0)
    return TapeSummary(
        files=tuple(str(path) for path in reader.tapes),
        file_bytes=sum(path.stat().st_size for path in reader.tapes),
        lines=streams.total() + bad.total(),
        bad_lines=dict(bad.most_common()),
        truncated_files=truncated,
        symbols=tuple(sorted(symbols(paths))),
        streams=dict(sorted(streams.items())),
        first_time_ns=times[0],
        last_time_ns=times[1],
    )


def parts_of(tapes: Sequence[Path], progress: Callable[[float], None]) -> Callable[[int], None]:
    """Return what to give a reader as `on_read`, so that `progress` is told the part of all bytes that was read."""
    total = sum(path.stat().st_size for path in tapes) or 1
    done = 0

    def on_read(size: int) -> None:
        nonlocal done
        done += size
        progress(min(1.0, done / total))

    return on_read


def _stream_of(payload: bytes) -> str:
    """Return the stream that a frame came by, as its envelope says."""
    if payload.startswith(_STREAM):
        return payload[len(_STREAM) : payload.find(b'"', len(_STREAM))].decode("utf-8", "replace")
    if b'"lastUpdateId"' in payload[:64]:
        return "(snapshot)"
    return "(open interest)" if b'"openInterest"' in payload else "(no envelope)"


def _time(time_ns: int) -> str:
    if not time_ns:
        return ""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 1_000_000:03d}Z"
