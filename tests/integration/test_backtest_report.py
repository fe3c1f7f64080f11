"""The report reads what risk and execution really keep: their own tables in a real PostgreSQL."""

from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr

from backtest.report.summary import build_summary, to_json
from sluice.config.settings import RunSettings, Settings, StoreSettings
from sluice.errors import NotRunningError
from sluice.execution.v1.execution_pb2 import ExecutionReport, Fill, OrderStatus, ReportKind
from sluice.risk.v1.order_pb2 import Order, OrderType, Side, TimeInForce
from sluice.risk.v1.risk_pb2 import OrderIntent, ReasonCode, Veto, VetoReason
from sluice.stores.embedded import StoreUrls
from sluice.stores.migrations import migrate
from sluice.stores.postgres import connect_sync, schema_of

T = 1_723_161_256_000_000_000
_names = count(1)
_ORDER = Order(
    instrument="BINANCE_USDM:BTCUSDT", side=Side.SIDE_BUY, type=OrderType.ORDER_TYPE_LIMIT,
    time_in_force=TimeInForce.TIME_IN_FORCE_GTC, quantity="0.02", price="61800.1")


@pytest.fixture
def settings(stores: StoreUrls) -> Settings:
    """Settings of an empty namespace with both rooms' tables."""
    run = RunSettings(namespace=f"report_{next(_names)}")
    for room in ("risk", "execution"):
        migrate(stores.postgres_url, schema_of(run.namespace, room), f"{room}.migrations")
    return Settings(run=run, stores=StoreSettings(postgres_url=SecretStr(stores.postgres_url)))


def put(settings: Settings, room: str, table: str, **values: Any) -> None:
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    url = settings.stores.postgres_url.get_secret_value()
    with connect_sync(url, schema_of(settings.run.namespace, room)) as connection:
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})".encode(), tuple(values.values()))


def put_decision(settings: Settings, number: int, veto: Veto | None = None, risk_epoch: int = 1) -> None:
    intent = OrderIntent(intent_id=f"follow/{number}", strategy="follow", order=_ORDER, event_time_ns=T)
    put(settings, "risk", "decisions", sequence=number, decision_id=f"d-{number}", intent_id=intent.intent_id,
        intent=intent.SerializeToString(), approved=veto is None, order_bytes=_ORDER.SerializeToString(),
        reasons=veto.SerializeToString() if veto else b"", event_time_ns=T + number, risk_epoch=risk_epoch,
        report_sequence=0, signed_approval=b"signed" if veto is None else b"", expires_at_ns=0, reserved_quantity=0,
        worst_price=0, reserved_notional=0)


def put_order(settings: Settings, number: int, nonce: bytes) -> None:
    put(settings, "execution", "orders", client_order_id=f"sl{number}", decision_id=f"d-{number}", nonce=nonce,
        instrument=_ORDER.instrument, order_bytes=_ORDER.SerializeToString(), approval_expires_at_ns=0, status="FILLED",
        filled_quantity=Decimal("0.020"), average_price=Decimal("61800.1"), fees=Decimal("0.2472004"), fee_asset="USDT",
        venue_order_id="1", created_at_ns=T, updated_at_ns=T + 5, report_sequence=3, message="")


def put_fill(settings: Settings, sequence: int) -> None:
    fill = Fill(trade_id="1", quantity="0.02", price="61800.1", fee="0.2472004", fee_asset="USDT", maker=True)
    report = ExecutionReport(
        sequence=sequence, event_time_ns=T + 5, kind=ReportKind.REPORT_KIND_FILL, client_order_id="sl1",
        decision_id="d-1", instrument=_ORDER.instrument, side=Side.SIDE_BUY, status=OrderStatus.ORDER_STATUS_FILLED,
        quantity="0.02", filled_quantity="0.02", fill=fill)
    put(settings, "execution", "reports", sequence=sequence, event_time_ns=T + 5, kind="FILL", client_order_id="sl1",
        decision_id="d-1", instrument=_ORDER.instrument, trade_id="1", report=report.SerializeToString())


def put_equity(settings: Settings, second: int, equity: str) -> None:
    put(settings, "risk", "equity", event_time_ns=T + second * 10**9, asset="USDT", balance=Decimal(equity),
        unrealised_pnl=Decimal("0.5"), equity=Decimal(equity), high_water_day=0, high_water_week=0, drawdown_day=0,
        drawdown_week=0)


def put_run(settings: Settings, *, risk_epoch: int, nonce: bytes, sequence: int) -> None:
    reason = VetoReason(code=ReasonCode.REASON_CODE_STALE_DATA, limit="2000", observed="2500", message="x")
    veto = Veto(reasons=[reason])
    put_decision(settings, 1, risk_epoch=risk_epoch)
    put_decision(settings, 2, veto, risk_epoch=risk_epoch)
    put_order(settings, 1, nonce)
    put_fill(settings, sequence)
    for second, equity in enumerate(("100000", "100010", "99999")):
        put_equity(settings, second, equity)


def test_summary_of_a_journalled_run(settings: Settings) -> None:
    put_run(settings, risk_epoch=1, nonce=b"n", sequence=3)

    figures = build_summary(settings, {"intents": 2}, 1.0).as_dict()

    assert (figures["approvals"], figures["vetoed"], figures["vetoes"]) == (1, 1, {"STALE_DATA": 1})
    assert (figures["orders"], figures["fills"]) == ({"FILLED": 1}, 1)
    assert (figures["settlement_asset"], figures["fees"]) == ("USDT", Decimal("0.2472004"))
    assert figures["pnl_unrealised"] == Decimal("0.5")
    assert figures["by_asset"]["USDT"]["max_drawdown"] == round(Decimal(11) / Decimal(100_010), 12)


def test_digest_leaves_out_what_a_restart_changes(settings: Settings, stores: StoreUrls) -> None:
    again = settings.model_copy(update={"run": RunSettings(namespace=f"{settings.run.namespace}_again")})
    for room in ("risk", "execution"):
        migrate(stores.postgres_url, schema_of(again.run.namespace, room), f"{room}.migrations")
    put_run(settings, risk_epoch=1, nonce=b"one", sequence=3)
    put_run(again, risk_epoch=7, nonce=b"two", sequence=9)

    assert build_summary(settings, {}, 1.0).digest == build_summary(again, {}, 1.0).digest


def test_empty_run_has_a_summary(settings: Settings) -> None:
    assert '"fills": 0' in to_json(build_summary(settings, {}, 0.0))


def test_unreachable_database_is_a_clear_error(settings: Settings) -> None:
    stores = StoreSettings(postgres_url=SecretStr("postgresql://nobody:secret@127.0.0.1:1/none"))

    with pytest.raises(NotRunningError) as caught:
        build_summary(settings.model_copy(update={"stores": stores}), {}, 0.0)
    assert "secret" not in caught.value.message
