"""A small exchange on a real socket whose answers a test writes: orders rest until the test fills them.

It knows just enough of the interface to let the venue start, place, cancel and ask. `script` names what happens to the
next requests of an endpoint instead: an answer, silence, or a cut connection, before or after the request is done.
"""

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aiohttp import WSMsgType, web

from sluice.instruments import Instrument
from tests.execution.builders import BTC, BTC_COIN
from tests.execution.venues.binance.messages import order_update, trade

START_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Twist:
    """What happens to a request: `done` carries it out; then `status` and `body`, silence, or a cut (0)."""

    status: int = 0
    body: str = ""
    done: bool = False
    wait_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: int, message: str = "x", done: bool = False, retry_after: str = "") -> Twist:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Twist(status, json.dumps({"code": code, "msg": message}), done, headers=headers)


def _filters(instrument: Instrument) -> list[dict[str, str]]:
    return [{"filterType": "PRICE_FILTER", "tickSize": str(instrument.tick_size)},
            {"filterType": "LOT_SIZE", "stepSize": str(instrument.lot_size), "minQty": str(instrument.min_quantity),
             "maxQty": str(instrument.max_quantity)},
            {"filterType": "MIN_NOTIONAL", "notional": str(instrument.min_notional)}]


class ScriptedExchange:
    """The server's state and what was asked of it."""

    def __init__(self) -> None:
        self.script: defaultdict[str, deque[Twist]] = defaultdict(deque)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: list[dict[str, Any]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.hedge_mode = False
        self.refuse_streams = 0
        self.instruments = [BTC, BTC_COIN]
        self.server_ms = START_MS
        self.keys = 0
        self._ids = itertools.count(1)
        self.url = ""

    def asked(self, operation: str) -> list[dict[str, str]]:
        """Return the parameters of every request of an operation such as `POST /fapi/v1/order`."""
        return [parameters for name, parameters in self.requests if name == operation]

    def fill(self, identity: str, quantity: str, *, tell: bool = True) -> bytes:
        """Fill a part of an order, and send the word of it."""
        order = self.orders[identity]
        filled = Decimal(order["executedQty"]) + Decimal(quantity)
        status = "FILLED" if filled == Decimal(order["origQty"]) else "PARTIALLY_FILLED"
        order |= {"executedQty": str(filled), "status": status}
        number = next(self._ids)
        self.trades.append({
            "id": number, "orderId": order["orderId"], "price": "60000.1", "qty": quantity,
            "commission": "0.12000020", "commissionAsset": "USDT", "maker": True, "time": START_MS + number})
        message = trade(number, quantity, str(filled), status, c=identity, i=order["orderId"], T=START_MS + number)
        if tell:
            self.tell(message)
        return message

    def tell(self, message: bytes) -> None:
        """Send a message on every user stream."""
        for socket in self.sockets:
            if not socket.closed:
                self._later(socket.send_str(message.decode()))

    async def cut(self) -> None:
        """Break every user stream without a goodbye."""
        sockets, self.sockets = self.sockets, []
        for socket in sockets:
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        operation = f"{request.method} {request.path}"
        parameters = dict(request.query)
        self.requests.append((operation, parameters))
        twist = self.script[operation].popleft() if self.script[operation] else None
        if twist is None:
            return self._answer(*self._carry_out(operation, parameters))
        if twist.done:
            self._carry_out(operation, parameters)
        await asyncio.sleep(twist.wait_s)
        if twist.status == 0:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=twist.status or 200, text=twist.body, headers=twist.headers)

    def _answer(self, status: int, body: Any) -> web.Response:
        return web.json_response(body, status=status, headers={"X-MBX-USED-WEIGHT-1M": str(len(self.requests))})

    def _carry_out(self, operation: str, parameters: dict[str, str]) -> tuple[int, Any]:
        method, path = operation.split(" ")
        name = path.split("/", 3)[3]
        if name == "order":
            return getattr(self, f"_{method.lower()}_order")(parameters)  # type: ignore[no-any-return]  # one of three
        simple: dict[str, Any] = {
            "time": {"serverTime": self.server_ms}, "positionSide/dual": {"dualSidePosition": self.hedge_mode},
            "positionRisk": [{"symbol": "BTCUSDT", "positionAmt": "0", "leverage": "20"}],
            "countdownCancelAll": parameters, "userTrades": self._trades(parameters), "openAlgoOrders": [],
            "openOrders": [order for order in self.orders.values() if order["status"] in {"NEW", "PARTIALLY_FILLED"}]}
        if name == "listenKey":
            self.keys += method == "POST"
            return 200, {"listenKey": f"key{self.keys}"}
        if name == "exchangeInfo":
            return 200, {"symbols": [
                {"symbol": each.symbol, "contractSize": int(each.contract_size), "filters": _filters(each)}
                for each in self.instruments]}
        return (200, simple[name]) if name in simple else (404, {"code": -5000, "msg": f"no {name}"})

    def _trades(self, parameters: dict[str, str]) -> list[dict[str, Any]]:
        wanted = parameters.get("orderId")
        return [row for row in self.trades if wanted in (None, str(row["orderId"]))]

    def _post_order(self, parameters: dict[str, str]) -> tuple[int, Any]:
        identity = parameters["newClientOrderId"]
        self.orders[identity] = {
            "orderId": next(self._ids), "clientOrderId": identity, "symbol": parameters["symbol"], "status": "NEW",
            "origQty": parameters["quantity"], "executedQty": "0", "updateTime": START_MS, "time": START_MS}
        return 200, self.orders[identity]

    def _get_order(self, parameters: dict[str, str]) -> tuple[int, Any]:
        found = [order for order in self.orders.values()
                 if parameters.get("origClientOrderId") == order["clientOrderId"]
                 or parameters.get("orderId") == str(order["orderId"])]
        return (200, found[0]) if found else (400, {"code": -2013, "msg": "Order does not exist."})

    def _delete_order(self, parameters: dict[str, str]) -> tuple[int, Any]:
        order = self.orders.get(parameters["origClientOrderId"])
        if order is None or order["status"] not in {"NEW", "PARTIALLY_FILLED"}:
            return 400, {"code": -2011, "msg": "Unknown order sent."}
        order |= {"status": "CANCELED", "updateTime": START_MS + 1}
        self.tell(order_update(x="CANCELED", X="CANCELED", c=order["clientOrderId"], i=order["orderId"],
                               z=order["executedQty"]))
        return 200, order

    async def _user_stream(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(("STREAM", {"path": str(request.rel_url)}))
        if self.refuse_streams:
            self.refuse_streams -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for _ in socket:
            pass
        return socket

    async def _order_api(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._respond(socket, json.loads(message.data))
        return socket

    async def _respond(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        method = {"order.place": "POST", "order.cancel": "DELETE"}[asked["method"]]
        self.requests.append((asked["method"], asked["params"]))
        twist = self.script[asked["method"]].popleft() if self.script[asked["method"]] else Twist(200, done=True)
        status, body = self._carry_out(f"{method} /fapi/v1/order", asked["params"]) if twist.done else (0, {})
        if twist.status == 0:
            await self.cut()
            return
        if twist.body:
            status, body = twist.status, json.loads(twist.body)
        limits = [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 7}]
        await socket.send_json({"id": asked["id"], "status": status, "rateLimits": limits,
                                "result" if status == 200 else "error": body})


@asynccontextmanager
async def a_scripted_exchange() -> AsyncIterator[ScriptedExchange]:
    """Serve one on a free port."""
    exchange = ScriptedExchange()
    application = web.Application()
    application.router.add_get("/private/ws", exchange._user_stream)
    application.router.add_get("/ws/{key}", exchange._user_stream)
    application.router.add_get("/ws-fapi/v1", exchange._order_api)
    application.router.add_route("*", "/{path:.*}", exchange._handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    exchange.url = f"127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]  # asyncio's own
    try:
        yield exchange
    finally:
        await runner.cleanup()
