"""What the server makes of strangers, of haste and of malice: clear errors, counts, bounded memory, and no crash."""

import asyncio
import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.exchange import Exchange
from backtest.exchange.rest.gateway import ConnectionDropped, DirectGateway, ExchangeAnswer, ExchangeRequest
from backtest.exchange.rest.limits import Limits
from backtest.exchange.rest.table import TABLE
from tests.backtest.exchange.conftest import KEY, READ_KEY, Serve, Served

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "49000",
         "quantity": "0.010"}


def error_of(answer: Any) -> tuple[int, int]:
    return answer.status, answer.body["code"]


def test_strangers_are_told_why(exchange_server: Served) -> None:
    path = "/fapi/v1/order"
    assert error_of(exchange_server.raw("POST", path)) == (401, -2014)
    assert error_of(exchange_server.signed_by("nobody", "POST", path, ORDER)) == (401, -2015)
    assert error_of(exchange_server.signed_by(READ_KEY, "POST", path, ORDER)) == (401, -2015)
    assert error_of(exchange_server.signed_by(KEY, "POST", path, ORDER, secret="wrong")) == (400, -1022)
    assert error_of(exchange_server.raw("POST", path, headers={"X-MBX-APIKEY": KEY})) == (400, -1102)
    late = exchange_server.now_ms() - 5001
    assert error_of(exchange_server.signed("POST", path, **ORDER, timestamp=late)) == (400, -1021)
    assert exchange_server.signed("POST", path, **ORDER, timestamp=late, recvWindow=6000).status == 200
    early = exchange_server.signed("POST", path, **ORDER, timestamp=exchange_server.now_ms() + 1000)
    assert early.body["msg"] == "Timestamp for this request was 1000ms ahead of the server's time."


def test_every_answer_carries_the_used_weight_and_orders_their_counts(exchange_server: Served) -> None:
    assert exchange_server.get("/fapi/v1/ping").headers["X-MBX-USED-WEIGHT-1M"] == "1"
    assert exchange_server.get("/dapi/v1/depth", symbol="BTCUSD_PERP", limit=1000).headers[
        "X-MBX-USED-WEIGHT-1M"] == "21"
    placed = exchange_server.signed("POST", "/fapi/v1/order", **ORDER)
    assert (placed.headers["X-MBX-ORDER-COUNT-10S"], placed.headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "1")
    batch = exchange_server.signed("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([ORDER]))
    assert (batch.headers["X-MBX-ORDER-COUNT-10S"], batch.headers["X-MBX-ORDER-COUNT-1M"]) == ("6", "2")


def test_haste_is_refused_then_banned_and_told_how_long_to_wait(serve: Serve) -> None:
    server = serve(Limits(request_weight_1m=5, refusals_before_ban=2))
    answers = [server.get("/fapi/v1/ping") for _ in range(9)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 2 + [418] * 2
    assert {answer.body["code"] for answer in answers[5:]} == {-1003}
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 60
    assert int(answers[-1].headers["Retry-After"]) == 120


def test_too_many_orders_are_refused_while_questions_still_pass(serve: Serve) -> None:
    server = serve(Limits(orders_10s=2))
    answers = [server.signed("POST", "/fapi/v1/order", **ORDER) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].body["code"] == -1015
    assert len(server.signed("GET", "/fapi/v1/openOrders").body) == 2
    assert server.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT").status == 200


@pytest.mark.parametrize("path", ["/fapi/v1/nothing", "/fapi/v9/ping", "/sapi/v1/capital/config/getall",
                                  "/api/v3/exchangeInfo", "/fapi/", "/dapi/v1/../../etc/passwd"])
def test_an_unknown_path_is_said_to_be_invalid(exchange_server: Served, path: str) -> None:
    answer = exchange_server.raw("GET", path)
    assert answer.status == 404
    assert answer.body["code"] == -5000


def test_a_wrong_method_is_said_to_be_invalid(exchange_server: Served) -> None:
    assert exchange_server.raw("PATCH", "/fapi/v1/order").body == {
        "code": -5000, "msg": "Path /fapi/v1/order, Method PATCH is invalid"}


def test_json_and_bytes_are_no_bodies(exchange_server: Served) -> None:
    as_json = exchange_server.raw("POST", "/fapi/v1/order", '{"symbol": "BTCUSDT"}', {
        "Content-Type": "application/json", "X-MBX-APIKEY": KEY})
    assert error_of(as_json) == (415, -1000)
    assert "x-www-form-urlencoded" in as_json.body["msg"]
    assert error_of(exchange_server.raw("POST", "/fapi/v1/order", b"\xff\x00\xfe")) == (415, -1000)


def test_a_huge_body_is_refused_before_it_is_read(exchange_server: Served) -> None:
    with socket.create_connection(("127.0.0.1", exchange_server.port), timeout=20) as client:
        client.sendall(b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert client.recv(200).startswith(b"HTTP/1.1 413 ")


def test_a_huge_body_of_unknown_length_is_cut_off(exchange_server: Served) -> None:
    with socket.create_connection(("127.0.0.1", exchange_server.port), timeout=20) as client:
        client.sendall(b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
        try:
            for _ in range(160):
                client.sendall(chunk)
        except OSError:
            pass
        else:
            assert client.recv(200).startswith(b"HTTP/1.1 413 ")
    assert exchange_server.get("/fapi/v1/ping").status == 200


def test_a_bomb_of_headers_is_refused(exchange_server: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", exchange_server.port, timeout=20)
    connection.request("GET", "/fapi/v1/ping", headers={"X-Bomb": "a" * 100_000})
    assert connection.getresponse().status == 400
    connection.close()
    assert exchange_server.get("/fapi/v1/ping").status == 200


def test_no_bytes_as_a_request_break_the_server(serve: Serve) -> None:
    server = serve(Limits(request_weight_1m=10**9))
    routes = [(route.method, path) for route in TABLE.routes for _, path in route.paths()]

    @settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(routes), st.text("abcdef=&%;+{}[]\"'<>0129-._", max_size=80), st.binary(max_size=80))
    def throw(route: tuple[str, str], query: str, body: bytes) -> None:
        method, path = route
        answer = server.raw(method, f"{path}?{query}", body, {"X-MBX-APIKEY": KEY})
        assert answer.status in {200, 400, 401, 404, 415}

    throw()
    assert server.get("/fapi/v1/ping").status == 200


@pytest.mark.parametrize("query", [b"symbol=\xff\xfe", b"symbol=\xc3\xa9", b"\x80"])
def test_bytes_that_are_no_text_in_a_path_are_refused(exchange_server: Served, query: bytes) -> None:
    with socket.create_connection(("127.0.0.1", exchange_server.port), timeout=20) as client:
        client.sendall(b"GET /fapi/v1/depth?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 400 " in client.recv(200).splitlines()[0]


def test_no_signed_nonsense_breaks_a_handler(serve: Serve) -> None:
    server = serve(Limits(request_weight_1m=10**9, orders_10s=10**9, orders_1m=10**9))
    names = sorted({parameter.name for route in TABLE.routes for parameter in route.parameters})
    routes = [(route.method, path) for route in TABLE.routes for _, path in route.paths()]
    values = st.sampled_from(["BTCUSDT", "BTCUSD_PERP", "0", "1", "7", "49000", "99999999999999999999", "0.001", "BUY",
                              "LIMIT", "GTC", "true", "[]", "[1]", '[{"symbol":1}]', "1m", "MARKET", "GTX", "BOTH"])

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(routes), st.dictionaries(st.sampled_from(names), values, max_size=12))
    def throw(route: tuple[str, str], parameters: dict[str, str]) -> None:
        method, path = route
        answer = server.signed(method, path, **parameters)
        assert answer.status in {200, 400}, answer
        if answer.status == 400:
            assert answer.body["code"] < -1000
            assert answer.body["msg"]

    throw()


def test_many_clients_at_once_are_all_answered_and_every_order_has_its_own_id(serve: Serve) -> None:
    server = serve(Limits(request_weight_1m=10**9, orders_10s=10**9, orders_1m=10**9))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: server.signed("POST", "/fapi/v1/order", **ORDER), range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["orderId"] for answer in answers}) == 100


class Spoiling(DirectGateway):
    """A gateway that spoils the requests with these client order ids."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.seen: list[ExchangeRequest] = []

    async def before(self, request: ExchangeRequest) -> ExchangeAnswer | None:
        self.seen.append(request)
        wanted = request.parameters.get("newClientOrderId", "")
        await asyncio.sleep(0)
        if wanted == "replaced":
            return ExchangeAnswer("Service Unavailable.", 503)
        if wanted == "refused":
            raise ExchangeError(-1008, "Request throttled by system-level protection.", 503)
        if wanted == "dropped":
            raise ConnectionDropped
        return None

    async def after(self, request: ExchangeRequest, answer: ExchangeAnswer) -> ExchangeAnswer:
        if request.parameters.get("newClientOrderId", "") == "unknown":
            return ExchangeAnswer({"code": -1007, "msg": "Timeout waiting for response from backend server."}, 408)
        return answer


def test_a_gateway_sees_and_may_spoil_requests_before_and_after_they_act(serve: Serve) -> None:
    gateways: list[Spoiling] = []

    def gateway_of(exchange: Exchange) -> Spoiling:
        gateways.append(Spoiling(exchange))
        return gateways[0]

    server = serve(gateway_of=gateway_of)

    def place(client_order_id: str) -> Any:
        return server.signed("POST", "/fapi/v1/order", **ORDER, newClientOrderId=client_order_id)

    replaced = place("replaced")
    assert (replaced.status, replaced.body) == (503, "Service Unavailable.")
    assert error_of(place("refused")) == (503, -1008)
    assert error_of(place("unknown")) == (408, -1007)
    with pytest.raises(http.client.RemoteDisconnected):
        place("dropped")
    resting = [order["clientOrderId"] for order in server.signed("GET", "/fapi/v1/openOrders").body]
    assert resting == ["unknown"]
    seen = gateways[0].seen[0]
    assert (seen.operation, seen.account, seen.changes_state) == ("POST order", "alice", True)
    assert seen.timestamp_ms == server.now_ms()
    assert seen.headers["x-mbx-apikey"] == KEY
