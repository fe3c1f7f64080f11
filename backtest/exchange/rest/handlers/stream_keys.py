"""Listen keys: they ask for an API key alone, no signature."""

from typing import Any, Final

from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.refusals import refusal
from backtest.exchange.rest.routes import Call, Route


def start(call: Call) -> Any:
    """Return the account's living key, extended, or a new one."""
    return {"listenKey": call.listen_keys.create(call.account, call.product, call.now_ms).key}


def extend(call: Call) -> Any:
    """Let the key live 60 more minutes."""
    found = call.listen_keys.extend(call.account, call.product, call.now_ms)
    if found is None:
        raise refusal(-1125)
    return {"listenKey": found.key}


def close(call: Call) -> Any:
    """End the key; the answer is the same where there is none."""
    call.listen_keys.close(call.account, call.product)
    return {}


ROUTES: Final = (
    Route("POST", "listenKey", start, "Make or extend the key of the user data stream", Security.KEY),
    Route("PUT", "listenKey", extend, "Extend the key of the user data stream", Security.KEY),
    Route("DELETE", "listenKey", close, "End the key of the user data stream", Security.KEY),
)
