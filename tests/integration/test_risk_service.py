"""The risk service as a process with real PostgreSQL and Redis: idempotent, crash-safe, fenced and audited."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import grpc
import pytest

from sluice.envelope import ApprovedOrder
from sluice.execution.v1 import execution_pb2 as execution
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.risk_pb2_grpc import RiskServiceStub
from sluice.stores import redis as redis_store
from sluice.stores.embedded import StoreUrls
from sluice.stores.postgres import connect_sync, schema_of
from tests.integration.risk_world import (
    BTC,
    ETH,
    NOON,
    SECOND,
    RiskWorld,
    approval_of,
    market,
    reason_names,
    request,
    risk_world,
)


@pytest.fixture
def world(stores: StoreUrls, tmp_path: Path) -> Iterator[RiskWorld]:
    with risk_world(stores, tmp_path) as made:
        yield made


@pytest.fixture
def client(world: RiskWorld) -> RiskServiceStub:
    started = world.start()
    started.ObserveMarket(market())
    return started


def portfolio(client: RiskServiceStub) -> risk.PortfolioSnapshot:
    return client.GetPortfolio(risk.GetPortfolioRequest()).portfolio


def rows(world: RiskWorld, query: str) -> list[tuple[object, ...]]:
    with connect_sync(world.urls.postgres_url, schema_of(world.namespace, "risk")) as connection:
        return connection.execute(query.encode()).fetchall()


def test_an_approval_verifies_and_carries_the_order_as_risk_decided(world: RiskWorld, client: RiskServiceStub) -> None:
    answer = client.Evaluate(request("a"))
    verified = world.verified(answer)
    assert isinstance(verified, ApprovedOrder)
    assert verified.order == request("a").intent.order
    assert verified.approval.issued_at_ns == NOON
    assert verified.approval.reserved_notional == "5000"


def test_the_same_intent_is_decided_once(world: RiskWorld, client: RiskServiceStub) -> None:
    first = client.Evaluate(request("a"))
    again = client.Evaluate(request("a"))
    assert (first.repeated, again.repeated) == (False, True)
    assert again.approval == first.approval
    assert len(portfolio(client).reservations) == 1
    assert rows(world, "SELECT count(*) FROM decisions") == [(1,)]


def test_a_veto_is_recorded_and_repeated_with_all_its_reasons(client: RiskServiceStub) -> None:
    wanted = request("a", quantity="0.1005", price="51000.05")
    first, again = client.Evaluate(wanted), client.Evaluate(wanted)
    assert reason_names(first) == {"PRICE_TICK", "QUANTITY_LOT", "PRICE_COLLAR"}
    assert again.veto == first.veto
    assert again.repeated


def test_an_intent_without_an_id_is_refused_as_an_argument(client: RiskServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.Evaluate(request(""))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("name", ["intent_id", "strategy", "model_version"])
@pytest.mark.parametrize("value", ["x" * 1_000_000, "a\0b", "größe"])
def test_names_that_are_too_long_or_not_printable_are_refused_as_an_argument(
    client: RiskServiceStub, name: str, value: str
) -> None:
    wrong = request("a")
    setattr(wrong.intent, name, value)
    with pytest.raises(grpc.RpcError, match=f"{name} must be"):
        client.Evaluate(wrong)
    approval_of(client.Evaluate(request("a")))


def test_a_killed_service_rebuilds_the_same_portfolio(world: RiskWorld, client: RiskServiceStub) -> None:
    filled = client.Evaluate(request("a"))
    open_order = client.Evaluate(request("b", instrument=ETH, quantity="2"))
    last = world.execution.fill(filled, "0.1", "50000", fee="2.5", fee_asset="USDT")
    client.ObserveMarket(market(NOON + SECOND, last, BTC="50100"))
    before = portfolio(client)
    world.kill()
    client = world.start()
    after = portfolio(client)
    assert after.risk_epoch == before.risk_epoch + 1
    after.risk_epoch = before.risk_epoch
    assert after == before
    assert [held.decision_id for held in after.reservations] == [open_order.decision_id]
    assert after.positions[0].unrealised_pnl == "10"


def test_reports_ahead_of_the_tick_do_not_count_before_it_even_after_a_kill(
    world: RiskWorld, client: RiskServiceStub
) -> None:
    answer = client.Evaluate(request("a"))
    world.execution.fill(answer, "0.1", "50000", NOON + 5_000_000)
    client.Evaluate(request("b"))
    assert {each.quantity for each in portfolio(client).positions} == {"0"}
    world.kill()
    client = world.start()
    assert {each.quantity for each in portfolio(client).positions} == {"0"}
    client.ObserveMarket(market(NOON + SECOND, 1))
    assert portfolio(client).positions[0].quantity == "0.1"


def test_an_unused_approval_of_an_older_epoch_is_signed_anew(world: RiskWorld, client: RiskServiceStub) -> None:
    first = client.Evaluate(request("a"))
    world.kill()
    client = world.start()
    again = client.Evaluate(request("a"))
    old, new = approval_of(first), approval_of(again)
    assert again.repeated
    assert (new.order, new.decision_id, new.expires_at_ns) == (old.order, old.decision_id, old.expires_at_ns)
    assert new.risk_epoch == old.risk_epoch + 1
    assert new.nonce != old.nonce
    assert isinstance(world.verified(again), ApprovedOrder)
    assert client.Evaluate(request("a")).approval == again.approval


def test_a_used_approval_is_never_signed_anew(world: RiskWorld, client: RiskServiceStub) -> None:
    first = client.Evaluate(request("a"))
    world.execution.report(
        execution.REPORT_KIND_SUBMITTED, first.decision_id, event_time_ns=NOON + 1,
        status=execution.ORDER_STATUS_PENDING)
    world.kill()
    client = world.start()
    assert client.Evaluate(request("a")).approval == first.approval


def test_a_halt_fences_and_refuses_until_an_operator_resumes(world: RiskWorld, client: RiskServiceStub) -> None:
    before = client.Evaluate(request("a"))
    halted = client.Halt(risk.HaltRequest(operator="ann", reason="odd fills", cancel_open_orders=True))
    assert halted.previous_state == risk.TRADING_STATE_ACTIVE
    with redis_store.connect_sync(world.urls.redis_url) as redis:
        assert redis.get(f"{world.namespace}:risk_epoch") == str(halted.risk_epoch).encode()
    assert halted.risk_epoch > approval_of(before).risk_epoch
    assert world.execution.cancelled == ["halted by ann: odd fills"]
    assert client.Evaluate(request("a")).approval == before.approval
    assert reason_names(client.Evaluate(request("b"))) == {"TRADING_HALTED"}
    resumed = client.Resume(risk.ResumeRequest(operator="ann", reason="explained"))
    assert resumed.previous_state == risk.TRADING_STATE_HALTED
    assert client.Evaluate(request("c")).HasField("approval")


def test_a_halt_outlives_a_restart(world: RiskWorld, client: RiskServiceStub) -> None:
    client.Halt(risk.HaltRequest(operator="ann", reason="odd fills"))
    world.kill()
    assert reason_names(world.start().Evaluate(request("a"))) == {"TRADING_HALTED"}


def test_operators_are_audited_with_who_and_why(world: RiskWorld, client: RiskServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.Halt(risk.HaltRequest(operator="", reason="why"))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as caught:
        client.Resume(risk.ResumeRequest(operator="ann", reason=" "))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    client.ReduceOnly(risk.ReduceOnlyRequest(operator="ann", reason="thin book"))
    client.Resume(risk.ResumeRequest(operator="bob", reason="book is back"))
    found = rows(world, "SELECT action, operator, reason, event_time_ns FROM audit ORDER BY sequence")
    assert found == [
        ("START", "risk", "the service started", 0),
        ("REDUCE_ONLY", "ann", "thin book", NOON),
        ("RESUME", "bob", "book is back", NOON),
    ]


def test_concurrent_requests_keep_the_limits_and_the_sequence(world: RiskWorld, client: RiskServiceStub) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: client.Evaluate(request(f"i/{number % 30}")), range(60)))
    approved = {answer.decision_id for answer in answers if answer.HasField("approval")}
    assert len(approved) == 5  # 5 000 each, and the position may be 25 000
    assert Decimal(portfolio(client).gross_exposure) == 25_000
    assert rows(world, "SELECT sequence FROM decisions ORDER BY 1") == [(n,) for n in range(1, 31)]


def test_a_request_ahead_of_the_reports_fails_closed_and_can_be_repeated(
    world: RiskWorld, client: RiskServiceStub
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.Evaluate(request("a", after=1))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    world.execution.report(execution.REPORT_KIND_ACCEPTED, "other", event_time_ns=NOON)
    assert client.Evaluate(request("a", after=1)).HasField("approval")


def test_an_approval_that_nobody_used_is_voided_and_released(world: RiskWorld, client: RiskServiceStub) -> None:
    answer = client.Evaluate(request("a"))
    client.ObserveMarket(market(NOON + 2 * SECOND))
    assert world.execution.voided == []
    client.ObserveMarket(market(NOON + 3 * SECOND))
    assert world.execution.voided == [answer.approval]
    client.ObserveMarket(market(NOON + 4 * SECOND, 1))
    assert list(portfolio(client).reservations) == []
    assert len(world.execution.voided) == 1


def test_a_drawdown_latches_over_midnight_and_a_restart_until_resumed(
    world: RiskWorld, client: RiskServiceStub
) -> None:
    answer = client.Evaluate(request("a", quantity="0.5"))
    last = world.execution.fill(answer, "0.5", "50000", fee="0", fee_asset="USDT")
    state = client.ObserveMarket(market(NOON + SECOND, last, BTC="43000")).trading_state
    assert state == risk.TRADING_STATE_REDUCING
    world.kill()
    client = world.start()
    tomorrow = NOON + 86_400 * SECOND
    assert client.ObserveMarket(market(tomorrow, last, BTC="43000")).trading_state == risk.TRADING_STATE_REDUCING
    refused = client.Evaluate(request("b", tomorrow, last, price="43000"))
    assert {"DRAWDOWN_DAY", "TRADING_REDUCING"} <= reason_names(refused)
    exit_order = request("c", tomorrow, last, price="43000", reduce_only=True, side=orders.SIDE_SELL)
    assert client.Evaluate(exit_order).HasField("approval")
    client.Resume(risk.ResumeRequest(operator="ann", reason="accepted"))
    later = tomorrow + SECOND
    assert client.ObserveMarket(market(later, last, BTC="43000")).trading_state == risk.TRADING_STATE_ACTIVE
    assert rows(world, "SELECT action, subject FROM audit WHERE action = 'LATCH'") == [("LATCH", "USDT")]


def test_equity_is_journalled_once_a_tick_for_each_asset(world: RiskWorld, client: RiskServiceStub) -> None:
    client.ObserveMarket(market(NOON + SECOND))
    client.ObserveMarket(market(NOON + SECOND))
    client.ObserveMarket(market(NOON))
    found = rows(world, "SELECT event_time_ns, asset, equity FROM equity WHERE asset = 'USDT' ORDER BY 1")
    assert found == [(NOON, "USDT", Decimal(100_000)), (NOON + SECOND, "USDT", Decimal(100_000))]


def test_decisions_stream_from_history_into_the_present(client: RiskServiceStub) -> None:
    client.Evaluate(request("a"))
    client.Evaluate(request("b", price="60000"))
    stream = client.StreamDecisions(risk.StreamDecisionsRequest(from_sequence=2), timeout=20)
    assert next(stream).decision.reasons[0].code == risk.REASON_CODE_PRICE_COLLAR
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, stream)
        time.sleep(0.2)
        assert not coming.done()
        client.Evaluate(request("c"))
        live = coming.result(timeout=10).decision
    stream.cancel()
    assert (live.sequence, live.intent.intent_id, live.approved) == (3, "c", True)


def test_limits_have_a_version_that_follows_them(world: RiskWorld, client: RiskServiceStub) -> None:
    first = client.GetLimits(risk.GetLimitsRequest())
    assert {limit.name: limit.value for limit in first.limits}["max_order_notional"] == "25000"
    assert approval_of(client.Evaluate(request("a"))).limits_version == first.version
    world.kill()
    world.limits["max_order_notional"] = "10000"
    second = world.start().GetLimits(risk.GetLimitsRequest())
    assert second.version != first.version
    assert rows(world, "SELECT subject FROM audit WHERE action = 'LIMITS_CHANGED'") == [(second.version,)]


def test_live_reports_count_as_they_come(stores: StoreUrls, tmp_path: Path) -> None:
    with risk_world(stores, tmp_path, clock="system") as world:
        client = world.start()
        now = time.time_ns()
        with pytest.raises(grpc.RpcError, match="event_time_ns must be at most"):
            client.ObserveMarket(market(now + 60 * SECOND))
        client.ObserveMarket(market(now))
        answer = client.Evaluate(request("a", now))
        assert isinstance(world.verified(answer, time.time_ns()), ApprovedOrder)
        world.execution.fill(answer, "0.1", "50000", now)
        deadline = time.monotonic() + 10
        while portfolio(client).report_sequence < 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [(each.instrument, each.quantity) for each in portfolio(client).positions] == [(BTC, "0.1")]
        assert world.stop() == 0
