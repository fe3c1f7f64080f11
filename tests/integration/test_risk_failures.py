"""The risk service when something around it fails: it refuses, ends in order, and comes back as it was."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from sluice.errors import DeadlineError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.risk_pb2_grpc import RiskServiceStub
from sluice.rpc import channel, is_serving, wait_serving
from sluice.stores import redis as redis_store
from sluice.stores.embedded import StoreUrls
from sluice.stores.postgres import connect_sync, schema_of
from tests.integration.risk_world import (
    NOON,
    SECOND,
    RiskWorld,
    approval_of,
    market,
    reason_names,
    request,
    risk_world,
)

DISCONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()"""


@pytest.fixture
def world(stores: StoreUrls, tmp_path: Path) -> Iterator[RiskWorld]:
    with risk_world(stores, tmp_path) as made:
        yield made


def portfolio(client: RiskServiceStub) -> risk.PortfolioSnapshot:
    return client.GetPortfolio(risk.GetPortfolioRequest()).portfolio


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    assert isinstance(error, grpc.Call)
    return error.code()


def test_a_lost_database_connection_ends_the_service_and_the_next_start_knows_everything(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    decided = client.Evaluate(request("a"))
    schema = schema_of(world.namespace, "risk")
    with connect_sync(world.urls.postgres_url, schema) as connection:
        connection.execute("SET application_name = 'test'")
        connection.execute(DISCONNECT, (f"sluice {schema}",))
    with pytest.raises(grpc.RpcError) as caught:
        client.Evaluate(request("b"))
    assert code_of(caught.value) is grpc.StatusCode.UNAVAILABLE
    assert world.ended() == 3
    client = world.start()
    assert [held.decision_id for held in portfolio(client).reservations] == [decided.decision_id]
    assert client.Evaluate(request("b")).HasField("approval")


def test_callers_that_give_up_leave_no_half_done_decision(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    for number in range(40):
        try:
            client.Evaluate(request(f"i/{number}", quantity="0.01"), timeout=0.0005 * (number % 12 + 1))
        except grpc.RpcError as error:
            assert code_of(error) is grpc.StatusCode.DEADLINE_EXCEEDED
    client.Evaluate(request("last", quantity="0.01"))
    before = portfolio(client)
    with connect_sync(world.urls.postgres_url, schema_of(world.namespace, "risk")) as connection:
        approved = connection.execute("SELECT decision_id FROM decisions WHERE approved ORDER BY 1").fetchall()
        sequences = connection.execute("SELECT sequence FROM decisions ORDER BY 1").fetchall()
    assert [(held.decision_id,) for held in before.reservations] == approved
    assert [sequence for (sequence,) in sequences] == list(range(1, len(sequences) + 1))
    world.kill()
    after = portfolio(world.start())
    assert list(after.reservations) == list(before.reservations)


def test_risk_does_not_serve_before_it_has_executions_reports(world: RiskWorld) -> None:
    here, world.execution_address = world.execution_address, "127.0.0.1:1"
    address = world.spawn()
    with channel(address) as opened:
        client = RiskServiceStub(opened)
        assert not is_serving(address)
        for call in (lambda: client.Evaluate(request("a")), lambda: client.ObserveMarket(market()),
                     lambda: portfolio(client)):
            with pytest.raises(grpc.RpcError) as caught:
                call()
            assert code_of(caught.value) is grpc.StatusCode.UNAVAILABLE
    assert world.stop() == 0
    world.execution_address = here
    wait_serving(world.spawn())


def test_risk_goes_on_while_execution_is_away_and_catches_up_after(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    answer = client.Evaluate(request("a"))
    world.execution_away()
    assert client.Evaluate(request("b")).HasField("approval")
    world.execution.fill(answer, "0.1", "50000")
    with pytest.raises(grpc.RpcError) as caught:
        client.Evaluate(request("c", after=1))
    assert code_of(caught.value) is grpc.StatusCode.UNAVAILABLE
    world.execution_back()
    client.ObserveMarket(market(NOON + SECOND, 1))
    assert portfolio(client).report_sequence == 1
    assert client.Evaluate(request("c", NOON + SECOND, 1)).HasField("approval")


def test_a_report_that_cannot_be_counted_stops_risk_and_not_only_the_call(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    world.execution.report(
        execution.REPORT_KIND_FILL, "d-?", event_time_ns=NOON, instrument="BINANCE_USDM:NOPE", side=1,
        fill=execution.Fill(trade_id="1", quantity="1", price="1"))
    with pytest.raises(grpc.RpcError) as caught:
        client.Evaluate(request("a", after=1))
    assert code_of(caught.value) is grpc.StatusCode.INTERNAL
    assert world.ended() == 3


def test_a_second_service_of_the_same_run_is_refused_and_the_first_goes_on(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    second = replace(world, process=None, channels=[])
    with pytest.raises(AssertionError):  # it ends before it names an address
        second.spawn()
    assert second.ended() == 3
    assert client.Evaluate(request("a")).HasField("approval")


def test_a_redis_that_lost_its_memory_ends_everything_in_flight(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    before = approval_of(client.Evaluate(request("a")))
    key = f"{world.namespace}:risk_epoch"
    with redis_store.connect_sync(world.urls.redis_url) as redis:
        redis.delete(key)
        client.ObserveMarket(market(NOON + SECOND))
        assert redis.get(key) == str(before.risk_epoch + 1).encode()
    assert approval_of(client.Evaluate(request("a"))).risk_epoch == before.risk_epoch + 1


def test_an_intent_far_ahead_is_refused_and_does_not_move_the_clock(world: RiskWorld) -> None:
    client = world.start()
    client.ObserveMarket(market())
    assert "INTENT_TIME" in reason_names(client.Evaluate(request("a", NOON + 3_600 * SECOND)))
    assert client.Evaluate(request("b")).HasField("approval")


def test_reports_of_another_deployments_execution_are_never_counted(world: RiskWorld) -> None:
    world.execution.journal_id = "somebody else's"
    world.execution.report(execution.REPORT_KIND_NOT_SENT, "d-unknown", event_time_ns=NOON)
    address = world.spawn()
    with pytest.raises(DeadlineError):
        wait_serving(address, timeout_s=2)
    world.execution.journal_id = "stand-in"
    wait_serving(address, timeout_s=20)
