"""`sluice halt`, `sluice reduce-only` and `sluice resume`: what an operator may do to trading.

Each asks the risk service, which writes who, when and why to the audit before it acts.
"""

import getpass
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit
from sluice.cli.services import services
from sluice.config.settings import Settings
from sluice.errors import InputError
from sluice.risk.v1 import risk_pb2, risk_pb2_grpc

Function = TypeVar("Function", bound=Callable[..., Any])


class Change(Protocol):
    """What risk answers to each of the three."""

    @property
    def previous_state(self) -> risk_pb2.TradingState.ValueType:
        """The state before."""
        ...

    @property
    def risk_epoch(self) -> int:
        """The epoch from now on; approvals of an earlier one are worth nothing."""
        ...


def _who_and_why(function: Function) -> Function:
    reason = click.option("--reason", required=True, metavar="TEXT", help="Why. Written to the audit.")
    operator = click.option("--operator", metavar="NAME", default=None, help="Who. Default: the login name.")
    return reason(operator(config_option(json_option(function))))


@click.command()
@_who_and_why
@click.option("--cancel-open-orders", is_flag=True, help="Also cancel every open order.")
def halt(settings: Settings, reason: str, operator: str | None, cancel_open_orders: bool, as_json: bool) -> None:
    """Refuse every order from now on.

    Approvals in flight are worth nothing any more. Open orders stay at the venue unless they are cancelled too.
    Positions stay open. `sluice resume` goes back.
    """
    request = risk_pb2.HaltRequest(
        operator=_operator(operator), reason=_reason(reason), cancel_open_orders=cancel_open_orders)
    _apply(settings, "Halt", request, "HALTED", as_json)


@click.command("reduce-only")
@_who_and_why
def reduce_only(settings: Settings, reason: str, operator: str | None, as_json: bool) -> None:
    """Let only orders pass that make a position smaller.

    `sluice resume` goes back.
    """
    request = risk_pb2.ReduceOnlyRequest(operator=_operator(operator), reason=_reason(reason))
    _apply(settings, "ReduceOnly", request, "REDUCING", as_json)


@click.command()
@_who_and_why
def resume(settings: Settings, reason: str, operator: str | None, as_json: bool) -> None:
    """Go back to normal trading.

    Releases a drawdown latch as well.
    """
    request = risk_pb2.ResumeRequest(operator=_operator(operator), reason=_reason(reason))
    _apply(settings, "Resume", request, "ACTIVE", as_json)


def _apply(settings: Settings, method: str, request: object, state: str, as_json: bool) -> None:
    answer: Change = services(settings)["risk"].call(risk_pb2_grpc.RiskServiceStub, method, request)
    previous = state_name(answer.previous_state)
    emit({"trading_state": state, "previous_state": previous, "risk_epoch": answer.risk_epoch}, as_json,
         f"Trading is {state} (was {previous}), risk epoch {answer.risk_epoch}.")


def state_name(state: risk_pb2.TradingState.ValueType) -> str:
    """Return `ACTIVE`, `REDUCING` or `HALTED`, or the number of a state that this version does not know."""
    try:
        return risk_pb2.TradingState.Name(state).removeprefix("TRADING_STATE_")
    except ValueError:
        return str(state)


def _operator(name: str | None) -> str:
    if name is None:
        try:
            return getpass.getuser()
        except (KeyError, OSError, ImportError):  # a container may run under a user id without a name
            name = ""
    if not name.strip():
        raise InputError("operator must be a name, was empty", fix="add --operator NAME")
    return name


def _reason(text: str) -> str:
    if not text.strip():
        raise InputError("reason must say why, was empty", fix='add --reason "..."')
    return text
