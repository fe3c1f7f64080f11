"""The digest: the same for runs that did the same, another for any difference that counts."""

from dataclasses import replace
from decimal import Decimal

import pytest

from backtest.report.digest import digest_of, lines
from backtest.report.journal import RunJournal
from tests.backtest.report.journals import a_decision, a_fill, a_run, an_order


def a_journal() -> RunJournal:
    decisions = (a_decision(1), a_decision(2, code="STALE_DATA"), a_decision(3))
    return RunJournal(decisions, (an_order(decisions[0]), an_order(decisions[2])), (a_fill(1, True), a_fill(3, False)))


def test_digest_does_not_depend_on_the_order_in_which_orders_were_read() -> None:
    journal = a_journal()

    assert digest_of(replace(journal, orders=journal.orders[::-1])) == digest_of(journal)


def test_digest_does_not_depend_on_how_a_database_writes_a_number() -> None:
    journal = a_journal()
    padded = replace(journal.orders[0], filled_quantity=Decimal("0.020000"), fees=Decimal("0.24720"))

    assert digest_of(replace(journal, orders=(padded, journal.orders[1]))) == digest_of(journal)


@pytest.mark.parametrize(
    "change", [{"status": "CANCELED"}, {"filled_quantity": Decimal("0.019")}, {"average_price": Decimal("61800.2")},
               {"fees": Decimal("0.2473")}, {"message": "x"}, {"created_at_ns": 1}, {"venue_order_id": "18"}])
def test_digest_changes_with_every_fact_of_an_order(change: dict[str, object]) -> None:
    journal = a_journal()
    other = replace(journal.orders[0], **change)  # type: ignore[arg-type]  # one field at a time

    assert digest_of(replace(journal, orders=(other, journal.orders[1]))) != digest_of(journal)


def test_digest_changes_where_a_decision_or_a_fill_is_missing() -> None:
    journal = a_journal()
    digests = {
        digest_of(journal), digest_of(replace(journal, decisions=journal.decisions[:-1])),
        digest_of(replace(journal, fills=journal.fills[:-1])), digest_of(RunJournal()),
    }

    assert len(digests) == 4


def test_equity_is_no_part_of_the_digest() -> None:
    journal, _ = a_run(seconds=20)

    assert digest_of(replace(journal, equity=())) == digest_of(journal)


def test_lines_are_canonical_json_one_a_fact() -> None:
    found = list(lines(a_journal()))

    told = [line.split('"kind":"')[1].split('"')[0] for line in found]
    assert told == ["decision"] * 3 + ["order"] * 2 + ["fill"] * 2
    assert all("\n" not in line and ": " not in line for line in found)
