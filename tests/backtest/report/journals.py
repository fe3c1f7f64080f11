"""Journals of made-up runs for the report tests: as rows, without a database."""

import random
from decimal import Decimal
from typing import Any

from backtest.report.journal import DecisionRow, EquityRow, FillRow, OrderRow, RunJournal
from sluice.decimals import ZERO
from sluice.instruments import InstrumentCatalog
from sluice.positions import Position, trade_fee

CATALOG = InstrumentCatalog.shipped()
START_NS = 1_723_161_256_000_000_000
SECOND_NS = 1_000_000_000
STATISTICS: dict[str, Any] = {
    "frames": 168_609, "dead_letters": 3, "dead_letters_by_reason": {"MALFORMED_JSON": 2, "SEQUENCE_GAP": 1},
    "events": 168_606, "features": 1040, "predictions": 1040, "intents": 90,
    "latency_ms": {
        "features": {"p50": 0.021, "p99": 0.094}, "predict": {"p50": 1.31, "p99": 3.2},
        "evaluate": {"p50": 0.92, "p99": 2.6}, "submit": {"p50": 2.41, "p99": 6.9}, "whole": {"p50": 4.8, "p99": 14.2},
    },
}


def a_decision(number: int, key: str = "BINANCE_USDM:BTCUSDT", code: str = "") -> DecisionRow:
    order = {
        "instrument": key, "side": "SIDE_BUY", "type": "ORDER_TYPE_LIMIT", "time_in_force": "TIME_IN_FORCE_GTX",
        "quantity": "0.02", "price": "61800.1"}
    intent = {"intent_id": f"follow/{key}/{number}", "strategy": "follow", "order": order, "model_version": "shipped-1"}
    message = "order notional must be at most 25000 USDT, was 30123.5"
    reasons = ({"code": f"REASON_CODE_{code}", "limit": "25000", "observed": "30123.5", "message": message},)
    return DecisionRow(
        f"d-{number:032x}", intent, not code, {} if code else order, reasons if code else (),
        START_NS + number * SECOND_NS)


def an_order(decision: DecisionRow, status: str = "FILLED", message: str = "", **changes: Any) -> OrderRow:
    values = {
        "client_order_id": f"sl{decision.decision_id[-20:]}", "decision_id": decision.decision_id,
        "instrument": decision.order["instrument"], "order": decision.order, "status": status,
        "filled_quantity": Decimal("0.02") if status == "FILLED" else ZERO,
        "average_price": Decimal("61800.1") if status == "FILLED" else None, "fees": Decimal("0.2472"),
        "fee_asset": "USDT", "venue_order_id": "17", "created_at_ns": decision.event_time_ns,
        "updated_at_ns": decision.event_time_ns + 5_000_000, "message": message}
    return OrderRow(**{**values, **changes})


def a_fill(
    number: int, buy: bool, price: str = "61800.1", quantity: str = "0.02", key: str = "BINANCE_USDM:BTCUSDT",
    time_ns: int | None = None, maker: bool = True,
) -> FillRow:
    instrument = CATALOG.require(key)
    fee = trade_fee(instrument, Decimal(quantity), Decimal(price), Decimal("0.0002" if maker else "0.0005"))
    return FillRow(
        time_ns if time_ns is not None else START_NS + number * SECOND_NS, key, f"sl{number}", f"d-{number:032x}",
        str(number), buy, Decimal(quantity), Decimal(price), fee, instrument.settlement_asset, maker)


def a_run(seconds: int = 344, seed: int = 3, keys: tuple[str, ...] = ("BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"),
          ) -> tuple[RunJournal, dict[str, list[tuple[int, float]]]]:
    """Return a run with orders, vetoes and fills in every instrument, and the prices that it saw."""
    chance = random.Random(seed)
    level = {key: 61800.0 if "BTC" in key else 2680.0 for key in keys}
    position = {key: Position(CATALOG.require(key)) for key in keys}
    prices: dict[str, list[tuple[int, float]]] = {key: [] for key in keys}
    decisions, orders = list[DecisionRow](), list[OrderRow]()
    fills, equity = list[FillRow](), list[EquityRow]()
    for second in range(seconds):
        now = START_NS + second * SECOND_NS
        for key in keys:
            level[key] *= 1 + chance.gauss(0, 6e-5)
            prices[key].append((now, level[key]))
            if chance.random() < 0.18:
                refused = chance.random()
                code = "ORDER_NOTIONAL" if refused < 0.08 else "STALE_DATA" if refused < 0.2 else ""
                decision = a_decision(len(decisions), key, code)
                decisions.append(decision)
                if code:
                    continue
                ends = chance.choice(("FILLED", "FILLED", "FILLED", "CANCELED", "REJECTED"))
                words = "-5022 The Post Only order will be rejected." if ends == "REJECTED" else ""
                orders.append(an_order(decision, ends, words))
                if ends == "FILLED":
                    quantity = "0.02" if "BTC" in key else "0.4" if "ETH" in key else "3"
                    buy, price = chance.random() < 0.5, f"{level[key]:.1f}"
                    fill = a_fill(len(fills) + 1, buy, price, quantity, key, now + 5_000_000)
                    fills.append(fill)
                    position[key] = position[key].with_fill(fill.signed_quantity, fill.price, fill.fee)
        equity += _equity(now, position, level)
    return RunJournal(tuple(decisions), tuple(orders), tuple(fills), tuple(equity)), prices


def _equity(now: int, positions: dict[str, Position], level: dict[str, float]) -> list[EquityRow]:
    rows = []
    for asset, start in (("BTC", Decimal(2)), ("ETH", Decimal(40)), ("USDT", Decimal(100_000))):
        held = [(key, p) for key, p in positions.items() if p.instrument.settlement_asset == asset]
        balance = start + sum((p.realised_pnl - p.fees for _, p in held), ZERO)
        open_pnl = sum((p.unrealised_pnl(Decimal(repr(level[key]))) for key, p in held), ZERO)
        rows.append(EquityRow(now, asset, balance, open_pnl, balance + open_pnl))
    return rows
