"""Looking inside with grpcurl, as an operator would: every service lists itself and answers."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from backtest.demo.world import with_free_addresses
from backtest.synthetic import make_tape
from dataflows.embedded import services, with_stores
from sluice.config.settings import RunSettings, Settings, SourceSettings
from sluice.config.writing import write_settings
from sluice.stores.embedded import StoreUrls

pytestmark = pytest.mark.needs("grpcurl")

SERVICES = {
    "inference": ["sluice.inference.v1.InferenceService"],
    "risk": ["sluice.risk.v1.RiskService"],
    "execution": ["sluice.execution.v1.ExecutionService", "sluice.execution.v1.SimulationService"],
}
START_NS = 1_767_571_200_000_000_000


@pytest.fixture(scope="module")
def running(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The three services, as `sluice serve` starts them."""
    folder = tmp_path_factory.mktemp("served")
    make_tape(folder / "tape", seed=3, minutes=0.5, start_ns=START_NS)
    settings = with_free_addresses(Settings(
        run=RunSettings(data_dir=folder, namespace="grpcurl"), source=SourceSettings(tapes=(folder / "tape",))))
    settings = with_stores(settings, stores)
    write_settings(settings, folder / "sluice.toml")
    with services(settings):
        yield settings


def grpcurl(address: str, *arguments: str, data: object = None) -> str:
    given = ["-d", json.dumps(data)] if data is not None else []
    done = subprocess.run(
        ["grpcurl", "-plaintext", *given, address, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def address_of(settings: Settings, name: str) -> str:
    found: str = getattr(settings, name).address
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_a_server_lists_its_services_with_health_and_reflection(running: Settings, name: str) -> None:
    listed = grpcurl(address_of(running, name), "list").split()
    assert set(listed) >= {*SERVICES[name], "grpc.health.v1.Health"}
    assert any("reflection" in service for service in listed)
    health = json.loads(grpcurl(address_of(running, name), "grpc.health.v1.Health/Check", data={}))
    assert health == {"status": "SERVING"}


@pytest.mark.parametrize(("name", "service"), [(name, service) for name in SERVICES for service in SERVICES[name]])
def test_every_service_describes_its_methods(running: Settings, name: str, service: str) -> None:
    methods = grpcurl(address_of(running, name), "list", service).split()
    described = grpcurl(address_of(running, name), "describe", service)
    assert methods
    for method in methods:
        assert f"rpc {method.rpartition('.')[2]} (" in described


def test_submitting_takes_an_approval_and_can_express_nothing_else(running: Settings) -> None:
    described = grpcurl(address_of(running, "execution"), "describe", "sluice.execution.v1.SubmitOrderRequest")
    fields = [line.strip() for line in described.splitlines() if "=" in line]
    assert fields == [".sluice.risk.v1.SignedApproval approval = 1;"]


QUERIES = [
    ("inference", "sluice.inference.v1.InferenceService/GetModels", {}, "models"),
    ("risk", "sluice.risk.v1.RiskService/GetPortfolio", {}, "portfolio"),
    ("risk", "sluice.risk.v1.RiskService/GetLimits", {}, "limits"),
    ("execution", "sluice.execution.v1.SimulationService/AdvanceTo", {"event_time_ns": START_NS}, "event_time_ns"),
]


@pytest.mark.parametrize(("name", "method", "data", "key"), QUERIES)
def test_a_query_answers(running: Settings, name: str, method: str, data: object, key: str) -> None:
    assert key in json.loads(grpcurl(address_of(running, name), method, data=data))


def test_an_unsigned_order_is_refused_with_its_reason(running: Settings) -> None:
    done = subprocess.run(
        ["grpcurl", "-plaintext", "-d", '{"approval": {"payload": "AAAA"}}', address_of(running, "execution"),
         "sluice.execution.v1.ExecutionService/SubmitOrder"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "must have payload, signature and key_id" in done.stderr


def test_an_operator_halts_and_resumes_from_the_command_line(running: Settings) -> None:
    def sluice(*arguments: str) -> str:
        config = str(running.run.data_dir / "sluice.toml")
        done = subprocess.run(
            [sys.executable, "-m", "sluice", *arguments, "--config", config],
            capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    sluice("halt", "--reason", "a test of the brake", "--operator", "tester")
    status = json.loads(sluice("status", "--json"))
    assert "HALTED" in json.dumps(status)
    sluice("resume", "--reason", "the brake works", "--operator", "tester")
    assert "HALTED" not in json.dumps(json.loads(sluice("status", "--json")))

