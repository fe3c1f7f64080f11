"""Rows are put into the order that both clocks ask for, and no row is lost or doubled for either."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataflows.tapes.rows import EVENT_DTYPE, EXCH_EVENT, LOCAL_EVENT, Rows, ordered

times = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=40)


def table(pairs: list[tuple[int, int]]) -> Rows:
    rows = np.zeros(len(pairs), EVENT_DTYPE)
    rows["ev"] = 1
    for index, (exchange, latency) in enumerate(sorted(pairs, key=sum)):
        rows[index]["exch_ts"], rows[index]["local_ts"], rows[index]["order_id"] = exchange, exchange + latency, index
    return rows


@given(times)
def test_each_clock_sees_every_row_once_in_the_order_of_its_times(pairs: list[tuple[int, int]]) -> None:
    rows = table(pairs)
    result = ordered(rows)
    for flag, column in ((EXCH_EVENT, "exch_ts"), (LOCAL_EVENT, "local_ts")):
        seen = result[(result["ev"] & np.uint64(flag)) != 0]
        expected = rows[np.argsort(rows[column], kind="stable")]
        assert seen["order_id"].tolist() == expected["order_id"].tolist()


@given(times)
def test_a_row_that_nothing_overtook_stays_one_row(pairs: list[tuple[int, int]]) -> None:
    rows = np.sort(table(pairs), order=["exch_ts"])
    rows["local_ts"] = rows["exch_ts"] + 5
    result = ordered(rows)
    assert len(result) == len(rows)
    assert set(result["ev"].tolist()) <= {1 | EXCH_EVENT | LOCAL_EVENT}


def test_a_row_that_was_overtaken_becomes_one_for_each_clock() -> None:
    rows = np.zeros(2, EVENT_DTYPE)
    rows["exch_ts"], rows["local_ts"], rows["order_id"] = [2, 1], [10, 11], [0, 1]
    result = ordered(rows)
    assert result["order_id"].tolist() == [1, 0, 1]
    assert result["ev"].tolist() == [EXCH_EVENT, EXCH_EVENT | LOCAL_EVENT, LOCAL_EVENT]
