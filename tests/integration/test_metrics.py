"""Each process serves its metrics where its section of the configuration names a port."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from backtest.demo.world import choosing_addresses, with_free_addresses
from backtest.synthetic import make_tape
from dataflows.embedded import services, with_stores
from sluice.config.settings import RunSettings, Settings, SourceSettings
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.approval_pb2 import SignedApproval
from sluice.risk.v1.risk_pb2_grpc import RiskServiceStub
from sluice.rpc import channel
from sluice.stores.embedded import StoreUrls
from tests.integration.demos import free_ports

ROOT = Path(__file__).parents[2]
SERVICES = ("inference", "risk", "execution")


def with_metrics(settings: Settings) -> Settings:
    sections = {name: getattr(settings, name).model_copy(update={"metrics_port": port})
                for name, port in zip(SERVICES, free_ports(3), strict=True)}
    return settings.model_copy(update=sections)


@pytest.fixture(scope="module")
def running(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The three services, as `sluice serve` starts them, all with one configuration."""
    folder = tmp_path_factory.mktemp("measured")
    make_tape(folder / "tape", seed=3, minutes=0.5)
    run = RunSettings(data_dir=folder, namespace="measured")
    settings = with_stores(Settings(run=run, source=SourceSettings(tapes=(folder / "tape",))), stores)
    with ExitStack() as stack:
        with choosing_addresses():
            settings = with_metrics(with_free_addresses(settings))
            stack.enter_context(services(settings))
        yield settings


def scrape(settings: Settings, name: str) -> str:
    port = getattr(settings, name).metrics_port
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("name", SERVICES)
def test_service_serves_its_own_metrics_and_nobody_elses(running: Settings, name: str) -> None:
    text = scrape(running, name)
    assert "# TYPE sluice_rpc_handled_total counter" in text
    own = {"risk": "sluice_risk_decisions_total", "execution": "sluice_execution_open_orders"}
    assert {other for other, metric in own.items() if f"# TYPE {metric} " in text} == {name} & set(own)


def test_veto_is_counted_with_each_of_its_reasons(running: Settings) -> None:
    with channel(running.risk.address) as connection:
        answer = RiskServiceStub(connection).Evaluate(
            risk.EvaluateRequest(intent=risk.OrderIntent(intent_id="measured/1")), timeout=10)
    text = scrape(running, "risk")
    assert 'sluice_risk_decisions_total{outcome="vetoed"} 1.0' in text
    codes = {risk.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in answer.veto.reasons}
    assert codes
    for code in codes:
        assert f'sluice_risk_veto_reasons_total{{reason="{code}"}} ' in text
    assert 'sluice_rpc_handled_total{code="OK",method="/sluice.risk.v1.RiskService/Evaluate"} 1.0' in text


def test_refused_approval_is_counted_by_its_refusal(running: Settings) -> None:
    with channel(running.execution.address) as connection, pytest.raises(grpc.RpcError) as caught:
        ExecutionServiceStub(connection).SubmitOrder(
            execution.SubmitOrderRequest(approval=SignedApproval(payload=b"AAAA")), timeout=10)
    (refusal,) = [entry.value for entry in caught.value.trailing_metadata() if entry.key == "sluice-refusal"]
    assert isinstance(refusal, str)
    assert f'sluice_execution_refusals_total{{refusal="{refusal}"}} 1.0' in scrape(running, "execution")


@pytest.mark.parametrize(("section", "command"), [(name, ["serve", name]) for name in SERVICES] + [("run", ["run"])])
def test_metrics_port_that_is_taken_is_one_sentence(section: str, command: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        environ = {**os.environ, "SLUICE_RUN__DATA_DIR": str(tmp_path),
                   f"SLUICE_{section.upper()}__METRICS_PORT": str(port)}
        done = subprocess.run([sys.executable, "-m", "sluice", *command], env=environ, cwd=ROOT,
                              capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith(f"Error: {section}.metrics_port must be free, 127.0.0.1:{port} is not")
    assert len(done.stderr.splitlines()) == 2
