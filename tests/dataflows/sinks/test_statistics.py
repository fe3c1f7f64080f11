"""Where a run's statistics go: a file for whoever watches, and the metrics."""

from pathlib import Path

import msgspec
from prometheus_client import REGISTRY

from dataflows.sinks.statistics import StatisticsPartition
from dataflows.statistics import FlowStatistics, read_statistics
from dataflows.steps.counting import TickOutcome


def outcome(ticks: int, *, last: bool = False, **dead_letters: int) -> tuple[str, TickOutcome]:
    statistics = FlowStatistics()
    statistics.counts.frames, statistics.counts.ticks = 100 * ticks, ticks
    statistics.counts.dead_letters_by_reason = dead_letters
    return "main", TickOutcome(ticks, statistics.as_json(), last)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_last_outcome_is_always_written(tmp_path: Path) -> None:
    sink = StatisticsPartition(tmp_path / "flow" / "statistics.json")
    for number in range(1, 5):
        sink.write_batch([outcome(number)])
    sink.write_batch([outcome(5), outcome(6, last=True)])
    assert read_statistics(tmp_path / "flow" / "statistics.json")["ticks"] == 6


def test_counters_grow_to_the_runs_counts_also_where_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    frames, ticks = value("sluice_flow_frames_total"), value("sluice_flow_ticks_total")
    gaps = value("sluice_flow_dead_letters_total", reason="SEQUENCE_GAP")
    sink = StatisticsPartition(tmp_path / "statistics.json")
    sink.write_batch([outcome(40, SEQUENCE_GAP=2)])
    sink.write_batch([outcome(41, SEQUENCE_GAP=2), outcome(42, SEQUENCE_GAP=5)])
    assert value("sluice_flow_frames_total") == frames + 4200
    assert value("sluice_flow_ticks_total") == ticks + 42
    assert value("sluice_flow_dead_letters_total", reason="SEQUENCE_GAP") == gaps + 5


def test_what_the_gates_found_is_counted_by_reason(tmp_path: Path) -> None:
    before = value("sluice_flow_quality_total", reason="MISSING_IDS")
    statistics = FlowStatistics()
    statistics.counts.quality_by_reason = {"MISSING_IDS": 3}
    StatisticsPartition(tmp_path / "a.json").write_batch([("main", TickOutcome(1, statistics.as_json(), last=True))])
    assert value("sluice_flow_quality_total", reason="MISSING_IDS") == before + 3


def test_statistics_file_holds_the_outcome_as_it_came(tmp_path: Path) -> None:
    sink = StatisticsPartition(tmp_path / "statistics.json")
    _, found = outcome(1, last=True)
    sink.write_batch([("main", found)])
    assert read_statistics(tmp_path / "statistics.json") == msgspec.json.decode(found.statistics)
