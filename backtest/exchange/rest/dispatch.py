"""The way of a request through limits, keys, parameters, gateway and handler, whichever transport it came by.

Every outcome is an answer: what is refused becomes Binance's `{"code", "msg"}` with its status, and a failure of our
own is logged and answered as the venue's internal error.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from backtest.exchange.core.domain import Product
from backtest.exchange.core.errors import TEXTS, ExchangeError
from backtest.exchange.rest.authentication import Credentials, authenticate
from backtest.exchange.rest.gateway import ConnectionDropped, ExchangeAnswer, ExchangeRequest, Gateway, Transport
from backtest.exchange.rest.keys import ApiKey, KeyRing
from backtest.exchange.rest.limits import RateLimiter, TooManyRequests
from backtest.exchange.rest.listen_keys import ListenKeys
from backtest.exchange.rest.parameters import Arguments
from backtest.exchange.rest.routes import Call, Route

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request as a transport took it in, before anything of it was judged."""

    transport: Transport
    route: Route
    product: Product
    address: str
    shown: Credentials
    sent: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Carries requests out."""

    gateway: Gateway
    keys: KeyRing
    limiter: RateLimiter
    listen_keys: ListenKeys

    async def handle(self, inquiry: Inquiry) -> ExchangeAnswer:
        """Judge and carry out a request. Raises `ConnectionDropped` where the gateway wants the connection cut."""
        key: ApiKey | None = None
        try:
            key, arguments = self._judge(inquiry)
            answer = await self._act(inquiry, key, arguments)
        except ExchangeError as error:
            answer = refused(error)
        except ConnectionDropped:
            raise
        except Exception:  # noqa: BLE001  # a bug in one request must not end the connection of others
            _log.exception("a request must be answered, %s failed", inquiry.route.operation)
            answer = refused(ExchangeError(-1001, TEXTS[-1001], 500))
        return self._with_counts(inquiry, key, answer)

    def _judge(self, inquiry: Inquiry) -> tuple[ApiKey | None, Arguments]:
        route, now_ms = inquiry.route, self.gateway.now_ms()
        self.limiter.weigh(inquiry.address, route.weigh(inquiry.product, inquiry.sent), now_ms)
        key = authenticate(self.keys, route.security, inquiry.shown, inquiry.sent, now_ms)
        arguments = Arguments.read(route.parameters, inquiry.sent)
        if key is not None and any(route.orders):
            self.limiter.count_orders(key.account, *route.orders, now_ms)
        return key, arguments

    async def _act(self, inquiry: Inquiry, key: ApiKey | None, arguments: Arguments) -> ExchangeAnswer:
        request = _request(inquiry, key)
        answer = await self.gateway.before(request)
        if answer is None:
            try:
                answer = ExchangeAnswer(inquiry.route.handler(self._call(inquiry, key, arguments)))
            except ExchangeError as error:
                answer = refused(error)
        return await self.gateway.after(request, answer)

    def _call(self, inquiry: Inquiry, key: ApiKey | None, arguments: Arguments) -> Call:
        return Call(self.gateway.exchange, self.listen_keys, self.limiter, inquiry.product, key, arguments,
                    self.gateway.now_ms())

    def _with_counts(self, inquiry: Inquiry, key: ApiKey | None, answer: ExchangeAnswer) -> ExchangeAnswer:
        now_ms = self.gateway.now_ms()
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.limiter.used_weight(inquiry.address, now_ms))}
        if key is not None and any(inquiry.route.orders):
            short, long = self.limiter.order_counts(key.account, now_ms)
            headers |= {"X-MBX-ORDER-COUNT-10S": str(short), "X-MBX-ORDER-COUNT-1M": str(long)}
        return replace(answer, headers=headers | dict(answer.headers))


def _request(inquiry: Inquiry, key: ApiKey | None) -> ExchangeRequest:
    signed = inquiry.route.security.signed and inquiry.sent.get("timestamp")
    return ExchangeRequest(
        transport=inquiry.transport, product=inquiry.product, operation=inquiry.route.operation,
        account=key.account if key else "", api_key=key.key if key else "", parameters=inquiry.sent,
        timestamp_ms=int(inquiry.sent["timestamp"]) if signed else None,
        changes_state=inquiry.route.changes_state, headers=inquiry.headers)


def error_body(error: ExchangeError) -> dict[str, Any]:
    """Return the body of a refusal."""
    return {"code": error.code, "msg": error.message}


def refused(error: ExchangeError) -> ExchangeAnswer:
    """Return the answer of a refusal."""
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooManyRequests) else {}
    return ExchangeAnswer(error_body(error), error.status, headers)
