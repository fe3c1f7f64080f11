"""The summary of a run: what a person, a script and the HTML page are told, from the journals and the flow's counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from backtest.report.digest import digest_of
from backtest.report.journal import RunJournal, read_journal
from backtest.report.results import AssetResult, InstrumentResult, by_asset, by_instrument, shortest
from backtest.report.terminal import render_table
from dataflows.staleness import BookStale
from sluice.config import Settings
from sluice.config.loading import catalog_of
from sluice.decimals import ZERO
from sluice.instruments import InstrumentCatalog

_JSON = msgspec.json.Encoder(decimal_format="number")
_COUNTS = ("frames", "dead_letters", "events", "features", "predictions", "intents")


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures. `counts` and `latency_ms` are the flow's, the rest comes from the journals.

    `book_stale` has the fields of `dataflows.staleness.BookStale`. `settlement_asset` is that of the run where there is
    just one, else "". `vetoes` counts reasons, and a veto may have several; `vetoed` counts decisions.
    """

    counts: dict[str, int]
    dead_letters_by_reason: dict[str, int]
    book_stale: dict[str, Any]
    latency_ms: dict[str, dict[str, float]]
    approvals: int
    vetoed: int
    vetoes: dict[str, int]
    orders: dict[str, int]
    fills: int
    settlement_asset: str
    assets: dict[str, AssetResult]
    instruments: dict[str, InstrumentResult]
    digest: str
    wall_s: float
    tapes: tuple[str, ...]
    journal: RunJournal
    report: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under their names in the JSON summary; money is None where the run has several assets."""
        money = self._money()
        return {
            **self.counts, "approvals": self.approvals, "vetoed": self.vetoed, "vetoes": self.vetoes,
            "orders": self.orders, "fills": self.fills, **money, "settlement_asset": self.settlement_asset or None,
            "by_asset": {asset: result.as_dict() for asset, result in self.assets.items()},
            "dead_letters_by_reason": self.dead_letters_by_reason, "book_stale": self.book_stale,
            "latency_ms": self.latency_ms,
            "digest": self.digest, "wall_s": round(self.wall_s, 3), "tapes": self.tapes, "report": self.report,
        }

    def _money(self) -> dict[str, Decimal | None]:
        found = self.assets.get(self.settlement_asset)
        if found is None:
            nothing = None if self.fills else ZERO
            return {"fees": nothing, "pnl_realised": nothing, "pnl_unrealised": nothing}
        return {name: shortest(getattr(found, name)) for name in ("fees", "pnl_realised", "pnl_unrealised")}


def build_summary(settings: Settings, statistics: Mapping[str, Any], wall_s: float) -> Summary:
    """Read what the run left and put it together.

    `statistics` are the flow's counts and `latency_ms`. Raises `NotRunningError` where PostgreSQL does not answer.
    """
    return summarise(read_journal(settings), catalog_of(settings), settings, statistics, wall_s)


def summarise(
    journal: RunJournal, catalog: InstrumentCatalog, settings: Settings, statistics: Mapping[str, Any], wall_s: float
) -> Summary:
    """Put together the summary of a journal that has been read."""
    instruments = by_instrument(journal.fills, catalog)
    vetoed = [decision for decision in journal.decisions if not decision.approved]
    return Summary(
        counts={name: int(statistics.get(name, 0)) for name in _COUNTS},
        dead_letters_by_reason=dict(statistics.get("dead_letters_by_reason", {})),
        book_stale={**msgspec.to_builtins(BookStale()), **statistics.get("book_stale", {})},
        latency_ms=dict(statistics.get("latency_ms", {})),
        approvals=len(journal.decisions) - len(vetoed),
        vetoed=len(vetoed),
        vetoes=_counted(code for decision in vetoed for code in decision.codes),
        orders=_counted(order.status for order in journal.orders),
        fills=len(journal.fills),
        settlement_asset=_only_asset(journal, catalog),
        assets=by_asset(journal, instruments),
        instruments=instruments,
        digest=digest_of(journal),
        wall_s=wall_s,
        tapes=tuple(str(path) for path in settings.source.tapes),
        journal=journal,
    )


def with_report(summary: Summary, path: Path) -> Summary:
    """Return the summary that names its HTML report."""
    return replace(summary, report=str(path))


def to_json(summary: Summary) -> str:
    """Return the summary as one readable JSON document; money is exact numbers."""
    return msgspec.json.format(_JSON.encode(summary.as_dict()), indent=2).decode()


def render(summary: Summary) -> str:
    """Return the summary as a table for a terminal."""
    return render_table(summary.as_dict(), summary.instruments)


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def _only_asset(journal: RunJournal, catalog: InstrumentCatalog) -> str:
    """Return the settlement asset of everything that was wanted, where it is one."""
    keys = {str(decision.intent.get("order", {}).get("instrument", "")) for decision in journal.decisions}
    found = [catalog.get(key) for key in keys | {fill.instrument for fill in journal.fills}]
    assets = {instrument.settlement_asset for instrument in found if instrument is not None}
    return assets.pop() if len(assets) == 1 else ""
