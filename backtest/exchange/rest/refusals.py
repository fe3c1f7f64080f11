"""The refusals that the edge words itself, beside those of the core (`backtest.exchange.core.errors`)."""

from typing import Final

from backtest.exchange.core.errors import TEXTS, ExchangeError

_EDGE_TEXTS: Final[dict[int, str]] = {
    -1101: "Duplicate values for parameter '{parameter}' detected.",
    -1103: "An unknown parameter was sent.",
    -1105: "Parameter '{parameter}' was empty.",
    -1120: "Invalid interval.",
    -1127: "More than {hours} hours between startTime and endTime.",
    -1131: "recvWindow must be less than 60000.",
    -4084: "Method is not allowed currently. Coming soon.",
    -4166: "Search window is restricted to recent 90 days only.",
    -5000: "Path {path}, Method {method} is invalid",
}


def refusal(code: int, status: int = 400, **values: object) -> ExchangeError:
    """Return the error of a code with the edge's text, or else the core's; `values` fill in its placeholders."""
    return ExchangeError(code, _EDGE_TEXTS.get(code, TEXTS.get(code, "")).format(**values), status)


def too_many_parameters() -> ExchangeError:
    """Return the refusal of a request with more parameters than any endpoint has."""
    return ExchangeError(-1101, TEXTS[-1101])


def too_far_ahead() -> ExchangeError:
    """Return the refusal of a timestamp that lies in the future."""
    return ExchangeError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def body_too_large(most: int) -> ExchangeError:
    """Return the refusal of a body beyond what the server reads."""
    return ExchangeError(-1000, f"Request body must be at most {most} bytes.", 413)


def not_a_form() -> ExchangeError:
    """Return the refusal of a body that is not form-encoded text, such as JSON."""
    return ExchangeError(-1000, "Request body must be application/x-www-form-urlencoded.", 415)


def body_too_slow(within_s: float) -> ExchangeError:
    """Return the refusal of a body that does not come."""
    return ExchangeError(-1000, f"The request's body must come within {within_s:g} s, did not.", 408)
