"""Batches: up to five orders in one request, each answered by itself, ten where they are cancelled."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.parameters import Arguments, Parameter
from backtest.exchange.rest.refusals import refusal

MOST_ORDERS: Final = 5
MOST_CANCELS: Final = 10


def elements(text: str, name: str, most: int) -> list[Any]:
    """Return the elements of a JSON list. Raises `ExchangeError` -1130 for what is none, -4082 for a wrong number."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise refusal(-1130, parameter=name)
    if not 1 <= len(found) <= most:
        raise refusal(-4082)
    return found


def texts(element: Any) -> dict[str, str]:
    """Return the parameters of a batch's element as a request would carry them. Raises `ExchangeError` -1130."""
    if not isinstance(element, dict):
        raise refusal(-1130, parameter="batchOrders")
    return {str(name): as_text(value) for name, value in element.items() if value is not None}


def as_text(value: Any) -> str:
    """Return a JSON value as the text that a form would carry."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def each(
    found: Sequence[Any], parameters: Sequence[Parameter], act: Callable[[Arguments], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Return the answer of every element, in order: what `act` gives, or the refusal of that element alone."""
    return [_attempt(element, parameters, act) for element in found]


def _attempt(
    element: Any, parameters: Sequence[Parameter], act: Callable[[Arguments], dict[str, Any]],
) -> dict[str, Any]:
    try:
        return act(Arguments.read(parameters, texts(element)))
    except ExchangeError as error:
        return {"code": error.code, "msg": error.message}
