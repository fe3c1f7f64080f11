"""Control messages of a stream connection: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY.

Pure: text in, an answer and the changed set of names out. Texts of errors are those that the venue's documentation
lists. Names that mean nothing are accepted in silence, as there.
"""

from collections import deque
from typing import Any, Final

import msgspec

#: Streams that one connection may have.
MAX_STREAMS: Final = 1024
#: Messages that a client may send in any second; pings and pongs count too.
MAX_MESSAGES_PER_SECOND: Final = 10
#: Largest message that a client may send, in bytes.
LARGEST_MESSAGE: Final = 64 * 1024

_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_VARIANTS: Final = "expected one of " + ", ".join(f"`{method}`" for method in _METHODS)
_NO_ID: Final = object()


class _RequestError(Exception):
    """What is wrong with a message: the venue's code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Subscriptions:
    """The names that one connection has subscribed to, in their order, and whether its messages are wrapped."""

    def __init__(self, combined: bool, names: tuple[str, ...] = ()) -> None:
        """Begin with the names of the connection's address, without doubles and up to the limit."""
        self.combined = combined
        self.names: dict[str, None] = dict.fromkeys(names[:MAX_STREAMS])

    def handle(self, message: bytes) -> bytes:
        """Do what a message asks for; return the answer. Nothing is raised, whatever the bytes."""
        request_id: Any = _NO_ID
        try:
            document = _decoded(message)
            request_id = _id_of(document)
            result = self._perform(document)
        except _RequestError as error:
            body: dict[str, Any] = {"error": {"code": error.code, "msg": error.text}}
        else:
            body = {"result": result}
        return msgspec.json.encode(body if request_id is _NO_ID else {**body, "id": request_id})

    def _perform(self, document: dict[str, Any]) -> Any:
        method = document.get("method")
        if method is None:
            raise _RequestError(2, "Invalid request: missing field `method`")
        if method not in _METHODS:
            raise _RequestError(2, f"Invalid request: unknown variant `{str(method)[:64]}`, {_VARIANTS}")
        if method == "LIST_SUBSCRIPTIONS":
            return list(self.names)
        params = document.get("params")
        if not isinstance(params, list):
            raise _RequestError(2, "Invalid request: missing field `params`")
        if method in ("SET_PROPERTY", "GET_PROPERTY"):
            return self._property(method, params)
        if not all(isinstance(name, str) for name in params):
            raise _RequestError(2, "Invalid request: stream names must be strings")
        self._change(method, params)
        return None

    def _change(self, method: str, names: list[str]) -> None:
        if method == "UNSUBSCRIBE":
            for name in names:
                self.names.pop(name, None)
            return
        wanted = self.names | dict.fromkeys(names)
        if len(wanted) > MAX_STREAMS:
            raise _RequestError(2, f"Invalid request: too many subscriptions, at most {MAX_STREAMS} are allowed")
        self.names = wanted

    def _property(self, method: str, params: list[Any]) -> Any:
        if not params or not isinstance(params[0], str):
            raise _RequestError(2, "Invalid request: property name must be a string")
        if params[0] != "combined":
            raise _RequestError(0, "Unknown property")
        if method == "GET_PROPERTY":
            return self.combined
        if len(params) > 2:
            raise _RequestError(2, "Invalid request: too many parameters")
        if len(params) < 2 or not isinstance(params[1], bool):
            raise _RequestError(1, "Invalid value type: expected Boolean")
        self.combined = params[1]
        return None


def _decoded(message: bytes) -> dict[str, Any]:
    if len(message) > LARGEST_MESSAGE:
        raise _RequestError(3, f"Invalid JSON: at most {LARGEST_MESSAGE} bytes are allowed")
    try:
        document = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _RequestError(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(document, dict):
        raise _RequestError(2, "Invalid request: expected an object")
    return document


def _id_of(document: dict[str, Any]) -> Any:
    """Return the request's id: a number that is not negative, a text (clients send UUIDs) or null."""
    request_id = document.get("id")
    number = isinstance(request_id, int) and not isinstance(request_id, bool) and 0 <= request_id < 2**64
    if number or request_id is None or (isinstance(request_id, str) and len(request_id) <= 64):
        return request_id
    raise _RequestError(2, "Invalid request: request ID must be an unsigned integer")


class MessageRate:
    """Counts what a client sends: at most so many messages in any second."""

    def __init__(self, most: int = MAX_MESSAGES_PER_SECOND) -> None:
        self._times: deque[float] = deque(maxlen=most + 1)
        self._most = most

    def allows(self, now_s: float) -> bool:
        """Count a message at a time of a steady clock; tell whether the connection may live on."""
        self._times.append(now_s)
        return len(self._times) <= self._most or now_s - self._times[0] >= 1.0
