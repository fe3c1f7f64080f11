"""What every call passes through on the server: it is counted and timed, and its errors become status codes.

Metrics (method is the full name, `/sluice.risk.v1.RiskService/Evaluate`):
`sluice_rpc_started_total{method}`, `sluice_rpc_handled_total{method, code}`, `sluice_rpc_seconds{method, code}`.
"""

import inspect
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from prometheus_client import Counter, Histogram

from sluice.errors import (
    ConfigurationError,
    DeadlineError,
    InputError,
    InvariantError,
    NotFoundError,
    NotRunningError,
    SluiceError,
)

_log = logging.getLogger("sluice.rpc")
_STARTED = Counter("sluice_rpc_started", "Calls that began.", ("method",))
_HANDLED = Counter("sluice_rpc_handled", "Calls that ended, by status code.", ("method", "code"))
_SECONDS = Histogram(
    "sluice_rpc_seconds", "Time from a call's beginning to its end, in seconds.", ("method", "code"),
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10))
_CODES: tuple[tuple[type[SluiceError], grpc.StatusCode], ...] = (
    (NotFoundError, grpc.StatusCode.NOT_FOUND),
    (NotRunningError, grpc.StatusCode.UNAVAILABLE),
    (ConfigurationError, grpc.StatusCode.FAILED_PRECONDITION),
    (DeadlineError, grpc.StatusCode.DEADLINE_EXCEEDED),
    (InputError, grpc.StatusCode.INVALID_ARGUMENT),
)
Handler = Any  # grpc.RpcMethodHandler: the stubs leave its four behaviours untyped
Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Handler]]


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """Return the status code and the text that a caller gets. Only our own errors' messages leave the process."""
    if isinstance(error, SluiceError) and not isinstance(error, InvariantError):
        for kind, code in _CODES:
            if isinstance(error, kind):
                return code, error.message
        return grpc.StatusCode.UNKNOWN, error.message
    return grpc.StatusCode.INTERNAL, "internal error"


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Counts, times and translates the errors of every call, unary or streaming."""

    async def intercept_service(
            self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Wrap the handler of the call's method; an unknown method has none."""
        handler = await continuation(handler_call_details)
        return handler and _wrapped(handler, handler_call_details.method)


def _wrapped(handler: Handler, method: str) -> Handler:
    serializers = {"request_deserializer": handler.request_deserializer,
                   "response_serializer": handler.response_serializer}
    if handler.unary_unary:
        return grpc.unary_unary_rpc_method_handler(_unary(handler.unary_unary, method), **serializers)
    if handler.stream_unary:
        return grpc.stream_unary_rpc_method_handler(_unary(handler.stream_unary, method), **serializers)
    if handler.unary_stream:
        return grpc.unary_stream_rpc_method_handler(_streaming(handler.unary_stream, method), **serializers)
    return grpc.stream_stream_rpc_method_handler(_streaming(handler.stream_stream, method), **serializers)


def _unary(behaviour: Behaviour, method: str) -> Behaviour:
    async def call(request: Any, context: Context) -> Any:
        with _Measured(method, context) as measured:
            try:
                return await behaviour(request, context)
            except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets a status
                return await measured.refuse(error)

    return call


def _streaming(behaviour: Callable[[Any, Context], Any], method: str) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def call(request: Any, context: Context) -> AsyncIterator[Any]:
        with _Measured(method, context) as measured:
            try:
                answers = behaviour(request, context)
                if inspect.isawaitable(answers):  # written with context.write
                    await answers
                else:
                    async for answer in answers:
                        yield answer
            except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets a status
                await measured.refuse(error)

    return call


class _Measured:
    """One call's count and time."""

    def __init__(self, method: str, context: Context) -> None:
        self._method = method
        self._context = context
        self._code: grpc.StatusCode | None = None
        self._began = time.perf_counter()

    def __enter__(self) -> "_Measured":
        _STARTED.labels(self._method).inc()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        code = self._code or _code_of(self._context, kind)
        _HANDLED.labels(self._method, code.name).inc()
        _SECONDS.labels(self._method, code.name).observe(time.perf_counter() - self._began)

    async def refuse(self, error: Exception) -> None:
        """End the call with the error's status. Always raises."""
        if isinstance(error, grpc.aio.AbortError):  # the handler chose its status itself
            raise error
        self._code, message = status_of(error)
        if self._code is grpc.StatusCode.INTERNAL:
            _log.error("call failed: %s", self._method, exc_info=error)
        await self._context.abort(self._code, message)


def _code_of(context: Context, kind: type[BaseException] | None) -> grpc.StatusCode:
    """Return the status of a call that ended by itself: set by the handler, cancelled by the caller, or OK."""
    number: Any = context.code()  # a plain number, whatever the stubs say
    if number:
        return next((code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN)
    return grpc.StatusCode.OK if kind is None else grpc.StatusCode.CANCELLED
