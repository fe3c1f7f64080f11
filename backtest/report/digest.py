"""The digest of a run: one SHA-256 over what was decided, ordered and filled.

It leaves out what may differ between two runs that did the same: wall times, risk epochs, nonces, signatures, keys, and
the numbers of reports. Equal digests mean equal decisions, orders and fills, to the last digit and nanosecond.
"""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from backtest.report.journal import DecisionRow, FillRow, OrderRow, RunJournal
from sluice.decimals import text


def digest_of(journal: RunJournal) -> str:
    """Return the hexadecimal SHA-256 over `lines`, each ended by a line feed."""
    found = hashlib.sha256()
    for line in lines(journal):
        found.update(line.encode() + b"\n")
    return found.hexdigest()


def lines(journal: RunJournal) -> Iterator[str]:
    """Yield canonical JSON: decisions by sequence, orders in the order of their decisions, fills by time."""
    sequence = {decision.decision_id: number for number, decision in enumerate(journal.decisions)}
    for decision in journal.decisions:
        yield _line("decision", _decision(decision))
    last = len(sequence)
    for order in sorted(journal.orders, key=lambda row: (sequence.get(row.decision_id, last), row.client_order_id)):
        yield _line("order", _order(order))
    for fill in journal.fills:
        yield _line("fill", _fill(fill))


def _decision(row: DecisionRow) -> dict[str, Any]:
    return {
        "decision_id": row.decision_id, "intent": row.intent, "approved": row.approved, "order": row.order,
        "reasons": list(row.reasons), "event_time_ns": row.event_time_ns,
    }


def _order(row: OrderRow) -> dict[str, Any]:
    return {
        "client_order_id": row.client_order_id, "decision_id": row.decision_id, "order": row.order,
        "status": row.status, "filled_quantity": row.filled_quantity, "average_price": row.average_price,
        "fees": row.fees, "fee_asset": row.fee_asset, "venue_order_id": row.venue_order_id,
        "created_at_ns": row.created_at_ns, "updated_at_ns": row.updated_at_ns, "message": row.message,
    }


def _fill(row: FillRow) -> dict[str, Any]:
    return {
        "event_time_ns": row.event_time_ns, "instrument": row.instrument, "client_order_id": row.client_order_id,
        "decision_id": row.decision_id, "trade_id": row.trade_id, "side": "BUY" if row.buy else "SELL",
        "quantity": row.quantity, "price": row.price, "fee": row.fee, "fee_asset": row.fee_asset, "maker": row.maker,
    }


def _line(kind: str, values: dict[str, Any]) -> str:
    return json.dumps({"kind": kind, **values}, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return text(value)
    raise TypeError(f"a line of the digest must hold plain values, was {type(value).__name__}")
