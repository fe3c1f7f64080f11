"""`sluice status`: what the running services say, read only.

Each part comes from the service that owns it; a part whose service does not serve is left out and said to be unknown,
so that an old picture never passes for the present one.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from google.protobuf.json_format import MessageToDict

from sluice.cli.operate import state_name
from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit, table
from sluice.cli.services import Health, Service, services
from sluice.config.settings import Settings
from sluice.errors import NotRunningError
from sluice.execution.v1 import execution_pb2, execution_pb2_grpc
from sluice.risk.v1 import risk_pb2, risk_pb2_grpc


@click.command()
@config_option
@json_option
def status(settings: Settings, as_json: bool) -> None:
    """Show trading state, positions, orders and the services' health.

    Exit code 3 where none of the services runs.
    """
    known = services(settings)
    health = {name: service.health() for name, service in known.items()}
    if all(state is Health.STOPPED for state in health.values()):
        places = ", ".join(f"{name} at {service.address}" for name, service in known.items())
        raise NotRunningError(f"a service must be running, and none is: {places}",
                              fix="start each with `sluice serve NAME`, or try `sluice demo`")
    data: dict[str, Any] = {"services": {name: {"address": service.address, "health": health[name].value}
                                         for name, service in known.items()}}
    if health["risk"] is Health.SERVING:
        data["portfolio"] = portfolio(known["risk"])
    if health["execution"] is Health.SERVING:
        data["open_orders"] = open_orders(known["execution"])
    emit(data, as_json, rendered(data))


def portfolio(risk: Service) -> dict[str, Any]:
    """Return risk's portfolio with plain names for its state."""
    answer = risk.call(risk_pb2_grpc.RiskServiceStub, "GetPortfolio", risk_pb2.GetPortfolioRequest())
    return {**_plain(answer.portfolio), "trading_state": state_name(answer.portfolio.trading_state)}


def open_orders(execution: Service) -> list[dict[str, Any]]:
    """Return the orders that are not final."""
    request = execution_pb2.ListOrdersRequest(open_only=True)
    answer = execution.call(execution_pb2_grpc.ExecutionServiceStub, "ListOrders", request)
    return [_plain(order) for order in answer.orders]


def rendered(data: Mapping[str, Any]) -> str:
    """Return the status as text for a person."""
    rows = [(name, service["health"], service["address"]) for name, service in data["services"].items()]
    parts = [table(("service", "health", "address"), rows)]
    snapshot = data.get("portfolio")
    parts += _portfolio_parts(snapshot) if snapshot else ["Trading state and positions: unknown, risk does not serve."]
    orders = data.get("open_orders")
    parts.append("Open orders: unknown, execution does not serve." if orders is None else _order_part(orders))
    return "\n\n".join(parts)


def _portfolio_parts(snapshot: Mapping[str, Any]) -> list[str]:
    line = (f"Trading is {snapshot['trading_state']}, risk epoch {snapshot['risk_epoch']}, "
            f"as of {utc(int(snapshot['event_time_ns']))}, report {snapshot['report_sequence']}.")
    return [
        line,
        _section("positions", ("instrument", "quantity", "entry_price", "mark_price", "unrealised_pnl", "realised_pnl"),
                 snapshot["positions"]),
        _section("equity", ("asset", "balance", "unrealised_pnl", "equity", "drawdown_day", "drawdown_week"),
                 snapshot["equity"]),
        _section("reservations", ("decision_id", "instrument", "side", "quantity", "notional"),
                 snapshot["reservations"]),
    ]


def _order_part(orders: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        {**order.get("order", {}), **order, "status": order["status"].removeprefix("ORDER_STATUS_")} for order in orders
    ]
    return _section("open orders", ("client_order_id", "instrument", "side", "quantity", "price", "filled_quantity",
                                    "status"), rows)


def _section(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"No {title}."
    return f"{title.capitalize()}\n{table(columns, [[str(row.get(column, '')) for column in columns] for row in rows])}"


def utc(event_time_ns: int) -> str:
    """Return a time as `2026-01-31 12:00:00.250 UTC`; `no event yet` for zero."""
    if event_time_ns == 0:
        return "no event yet"
    seconds, nanoseconds = divmod(event_time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{nanoseconds // 1_000_000:03} UTC"


def _plain(message: Any) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
