"""A client of the synthetic market for its tests: it knows only what a tape says, and rebuilds books from it."""

import gzip
import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Quote = tuple[Decimal, Decimal, Decimal, Decimal]


@dataclass
class Observed:
    """All frames of one symbol's tape, by event type, each with its receive time."""

    lines: list[bytes]
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    snapshots: list[dict[str, Any]] = field(default_factory=list)

    @property
    def snapshot(self) -> dict[str, Any]:
        return self.snapshots[0]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return self.events[kind]


def observe(path: Path) -> Observed:
    lines = gzip.decompress(path.read_bytes()).splitlines()
    seen = Observed(lines)
    for one in lines:
        receive, _, payload = one.partition(b" ")
        message = json.loads(payload)
        if "stream" not in message:
            seen.snapshots.append({**message, "receive_ns": int(receive)})
            continue
        data = message["data"]
        seen.events.setdefault(data["e"], []).append({**data, "receive_ns": int(receive), "stream": message["stream"]})
    return seen


class RebuiltBook:
    """A client's book by the venue's rules: a snapshot, then every diff from the one around it on."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.sides = {name: {Decimal(p): Decimal(q) for p, q in snapshot[name]} for name in ("bids", "asks")}

    def apply(self, diff: dict[str, Any]) -> None:
        for name, levels in (("bids", diff["b"]), ("asks", diff["a"])):
            for price, quantity in levels:
                if Decimal(quantity):
                    self.sides[name][Decimal(price)] = Decimal(quantity)
                else:
                    self.sides[name].pop(Decimal(price), None)

    @property
    def quote(self) -> Quote:
        bid, ask = max(self.sides["bids"]), min(self.sides["asks"])
        return bid, self.sides["bids"][bid], ask, self.sides["asks"][ask]


def rebuilt_quotes(seen: Observed) -> list[tuple[int, Quote]]:
    """Return the best prices after every diff that follows the snapshot, with the diff's `u`."""
    book, last = RebuiltBook(seen.snapshot), seen.snapshot["lastUpdateId"]
    diffs = [diff for diff in seen.of("depthUpdate") if diff["u"] >= last]
    assert diffs[0]["U"] <= last <= diffs[0]["u"], "the snapshot lies within the first diff that is used"
    quotes = []
    for diff in diffs:
        book.apply(diff)
        quotes.append((diff["u"], book.quote))
    return quotes
