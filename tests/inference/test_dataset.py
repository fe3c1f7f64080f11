import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actors.market_rows import BookTop, FeatureRow
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.indicators.schemas import FULL_SCHEMA
from inference.training.dataset import build_dataset, split_by_time
from sluice.errors import InputError
from tests.inference.making import FEATURES, random_dataset

SECOND_NS = 1_000_000_000


def row(second: int, mid: float, *, instrument: str = "BINANCE_USDM:A", valid: bool = True,
        synced: bool = True) -> FeatureRow:
    top = BookTop(mid - 0.5, 1.0, mid + 0.5, 1.0, mid, synced, second * SECOND_NS)
    return FeatureRow(instrument, second * SECOND_NS, second, MARKET_SCHEMA.hash, (float(second),) * FEATURES,
                      (valid,) * FEATURES, top, 0, 0)


def test_label_is_the_return_to_the_row_one_horizon_later() -> None:
    dataset = build_dataset([[row(1, 100.0), row(2, 110.0), row(3, 120.0)]], (SECOND_NS, 2 * SECOND_NS))
    assert dataset.times_ns.tolist() == [SECOND_NS]
    assert dataset.returns_bps[0] == pytest.approx([1e4 * math.log(1.1), 1e4 * math.log(1.2)])
    assert dataset.last_event_ns == 3 * SECOND_NS


def test_row_without_a_row_at_its_horizon_is_left_out() -> None:
    dataset = build_dataset([[row(1, 100.0), row(3, 110.0), row(4, 120.0)]], (SECOND_NS,))
    assert dataset.times_ns.tolist() == [3 * SECOND_NS]


def test_rows_that_are_not_valid_or_out_of_step_with_the_book_are_left_out() -> None:
    rows = [row(1, 100.0, valid=False), row(2, 100.0), row(3, 100.0, synced=False), row(4, 100.0), row(5, 100.0)]
    assert build_dataset([rows], (SECOND_NS,)).times_ns.tolist() == [4 * SECOND_NS]


def full_row(second: int, unknown: str) -> FeatureRow:
    names = FULL_SCHEMA.features
    top = BookTop(99.5, 1.0, 100.5, 1.0, 100.0, True, second * SECOND_NS)
    return FeatureRow("BINANCE_USDM:A", second * SECOND_NS, second, FULL_SCHEMA.hash, (1.0,) * len(names),
                      tuple(name != unknown for name in names), top, 0, 0)


def test_a_column_that_is_rarely_valid_is_no_input_and_costs_no_row() -> None:
    rows = [full_row(second, "" if second == 50 else "funding_rate") for second in range(1, 101)]
    dataset = build_dataset([rows], (SECOND_NS,), FULL_SCHEMA)
    assert dataset.schema is FULL_SCHEMA
    assert set(FULL_SCHEMA.features) - set(dataset.inputs) == {"funding_rate"}
    assert len(dataset) == 99
    assert np.isnan(dataset.features[:, FULL_SCHEMA.index("funding_rate")]).sum() == 98


def test_a_column_that_warms_up_is_an_input_and_costs_its_rows() -> None:
    rows = [full_row(second, "" if second > 15 else "rsi_14_1s") for second in range(1, 102)]
    dataset = build_dataset([rows], (SECOND_NS,), FULL_SCHEMA)
    assert dataset.inputs == FULL_SCHEMA.features
    assert dataset.times_ns[0] == 16 * SECOND_NS


def test_a_column_of_the_light_set_is_always_an_input() -> None:
    rows = [full_row(second, "" if second > 90 else "cvd_60s") for second in range(1, 102)]
    dataset = build_dataset([rows], (SECOND_NS,), FULL_SCHEMA)
    assert dataset.inputs == FULL_SCHEMA.features
    assert len(dataset) == 10


def test_rows_of_another_schema_are_refused() -> None:
    with pytest.raises(InputError, match="a row must be of schema full"):
        build_dataset([[row(1, 100.0)]], (SECOND_NS,), FULL_SCHEMA)


def test_labels_never_mix_instruments_and_rows_are_in_the_order_of_time() -> None:
    rows = [row(s, 100.0 * s, instrument=name) for s in (1, 2, 3) for name in ("BINANCE_USDM:B", "BINANCE_USDM:A")]
    dataset = build_dataset([rows], (SECOND_NS,))
    assert dataset.times_ns.tolist() == [SECOND_NS, SECOND_NS, 2 * SECOND_NS, 2 * SECOND_NS]
    assert dataset.returns_bps[:, 0] == pytest.approx(np.log([2, 2, 1.5, 1.5]) * 1e4)
    assert dataset.instruments == ("BINANCE_USDM:A", "BINANCE_USDM:B")


def test_labels_never_reach_from_one_recording_into_another() -> None:
    recordings = [[row(1, 100.0), row(2, 110.0)], [row(2, 500.0), row(3, 550.0)]]
    dataset = build_dataset(recordings, (SECOND_NS,))
    assert dataset.times_ns.tolist() == [SECOND_NS, 2 * SECOND_NS]
    assert dataset.returns_bps[:, 0] == pytest.approx([1e4 * math.log(1.1)] * 2)


@pytest.mark.parametrize("rows", [[], [row(1, 100.0)], [row(1, 100.0, valid=False), row(2, 1.0)]])
def test_tape_without_a_labelled_row_is_refused(rows: list[FeatureRow]) -> None:
    with pytest.raises(InputError, match="at least one labelled row"):
        build_dataset([rows], (SECOND_NS,))


@settings(max_examples=30, deadline=None)
@given(st.integers(600, 3_000), st.integers(1, 30))
def test_no_label_reaches_into_a_later_part(seconds: int, horizon_s: int) -> None:
    horizon = horizon_s * SECOND_NS
    split = split_by_time(random_dataset(seconds), horizon)
    for earlier, later in ((split.fit, split.calibration), (split.calibration, split.test)):
        assert earlier.times_ns.max() + horizon < later.times_ns.min() - horizon
    kept = sum(len(part) for part in split)
    assert kept >= 2 * (seconds - 6 * horizon_s - 10)


def test_tape_that_is_too_short_to_split_is_refused() -> None:
    with pytest.raises(InputError, match="part must have at least 50 rows"):
        split_by_time(random_dataset(100), 5 * SECOND_NS)
