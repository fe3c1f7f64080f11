"""Envelopes of the WebSocket order API: `{id, method, params}` in, `{id, status, result | error, rateLimits}` out.

Numbers in `params` keep the text in which the client wrote them, because that text is what it signed.
"""

from typing import Any, Final

import msgspec

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.gateway import ExchangeAnswer
from backtest.exchange.rest.limits import Limits

_MOST_ID_CHARACTERS: Final = 64


class _Request(msgspec.Struct):
    method: str
    id: str | int | None = None
    params: dict[str, msgspec.Raw] = {}


class Envelope(msgspec.Struct, frozen=True):
    """A request that could be read. `parameters` are texts as a form would carry them."""

    id: str | int | None
    method: str
    parameters: dict[str, str]


_decoder: Final = msgspec.json.Decoder(_Request)
_id_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder: Final = msgspec.json.Encoder()


class UnreadableRequestError(Exception):
    """A message that is no request. `id` is the one that it names, where that much could be read."""

    def __init__(self, refusal: ExchangeError, identity: str | int | None) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.id = identity


def read(message: str | bytes) -> Envelope:
    """Read a request. Raises `UnreadableRequestError`."""
    try:
        found = _decoder.decode(message)
        parameters = {name: _text(raw) for name, raw in found.params.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableRequestError(ExchangeError(-1135, "Invalid JSON Request"), _id_of(message)) from None
    if isinstance(found.id, str) and len(found.id) > _MOST_ID_CHARACTERS:
        raise UnreadableRequestError(invalid_id(), None)
    return Envelope(found.id, found.method.lstrip("/"), parameters)


def invalid_id() -> ExchangeError:
    """Return the refusal of an id that is too long or in use by a request that is not answered yet."""
    return ExchangeError(-1130, "Data sent for parameter 'id' is not valid.")


def _text(raw: msgspec.Raw) -> str:
    text = bytes(raw)
    return str(msgspec.json.decode(text)) if text.startswith(b'"') else text.decode()


def _id_of(message: str | bytes) -> str | int | None:
    try:
        found = msgspec.json.decode(_id_decoder.decode(message).get("id", msgspec.Raw(b"null")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, str | int) and len(str(found)) <= _MOST_ID_CHARACTERS else None


def written(identity: str | int | None, answer: ExchangeAnswer, counts: list[dict[str, Any]] | None) -> str:
    """Return an answer's text. `counts` are the rate limits with what is used; None where they are not wanted."""
    envelope: dict[str, Any] = {"id": identity, "status": answer.status}
    if answer.status == 200:
        envelope["result"] = answer.body
    else:
        body = answer.body if isinstance(answer.body, dict) else {"code": -1000, "msg": str(answer.body)}
        envelope["error"] = body | _retry(answer)
    if counts is not None:
        envelope["rateLimits"] = counts
    return _encoder.encode(envelope).decode()


def _retry(answer: ExchangeAnswer) -> dict[str, Any]:
    wait = answer.headers.get("Retry-After")
    return {"data": {"retryAfter": int(wait)}} if wait else {}


def rate_limits(limits: Limits, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Return the used limits out of the counts that REST answers carry as headers."""
    rows = (("X-MBX-USED-WEIGHT-1M", "REQUEST_WEIGHT", "MINUTE", 1, limits.request_weight_1m),
            ("X-MBX-ORDER-COUNT-10S", "ORDERS", "SECOND", 10, limits.orders_10s),
            ("X-MBX-ORDER-COUNT-1M", "ORDERS", "MINUTE", 1, limits.orders_1m))
    return [{"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit,
             "count": int(headers[name])} for name, kind, interval, number, limit in rows if name in headers]
