"""Playing a tape through the system, for tests that look at what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backtest.report.journal import RunJournal
from backtest.report.summary import Summary, summarise
from backtest.system.journal import journal_of
from backtest.system.rooms import Rooms
from backtest.system.run import play
from sluice.cli.progress import progress_bar
from sluice.config import Settings
from sluice.config.loading import catalog_of


@dataclass(frozen=True)
class Played:
    """A run that is over."""

    rooms: Rooms
    journal: RunJournal
    summary: Summary
    statistics: Mapping[str, Any]


def played(settings: Settings) -> Played:
    """Play the tapes of settings to their end."""
    with progress_bar("", quiet=True) as advance:
        rooms, statistics = play(settings, advance)
    journal = journal_of(rooms)
    return Played(rooms, journal, summarise(journal, catalog_of(settings), settings, statistics, 1.0), statistics)


def changed(settings: Settings, section: str, **values: object) -> Settings:
    """Return settings with other values in one section, or in `limits`."""
    if section == "limits":
        values = {"limits": settings.risk.limits.model_copy(update=values)}
        section = "risk"
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})
