"""Rules between settings."""

import pytest

from sluice.config.loading import load_settings
from sluice.errors import ConfigurationError


def broken(**environ: str) -> list[str]:
    try:
        load_settings(environ={f"SLUICE_{key}": value for key, value in environ.items()})
    except ConfigurationError as error:
        return error.problems
    return []


def test_services_need_different_addresses() -> None:
    found = broken(INFERENCE__ADDRESS="127.0.0.1:50052")
    assert found == [
        f"{place}: must differ from {other}, was '127.0.0.1:50052'; give each service its own port"
        for place, other in (("SLUICE_INFERENCE__ADDRESS", "risk.address"), ("risk.address", "inference.address"))]


@pytest.mark.parametrize("environment", ["testnet", "live"])
def test_real_orders_need_the_machines_clock_and_an_exchange(environment: str) -> None:
    found = broken(RUN__ENVIRONMENT=environment)
    assert [problem.split(":")[0] for problem in found] == ["run.clock", "execution.venue"]
    assert broken(RUN__ENVIRONMENT=environment, RUN__CLOCK="system", EXECUTION__VENUE="binance",
                  BINANCE__LIVE_ORDERS="true") == []


def test_live_orders_take_two_explicit_steps() -> None:
    found = broken(RUN__ENVIRONMENT="live", RUN__CLOCK="system", EXECUTION__VENUE="binance")
    [problem] = found
    assert problem.startswith("binance.live_orders: must be true where run.environment is live, was False; set")


@pytest.mark.parametrize(("environment", "url", "world"), [
    ("simulated", "https://fapi.binance.com", "live"), ("simulated", "https://testnet.binancefuture.com", "testnet"),
    ("testnet", "https://FAPI.binance.com:443", "live"), ("testnet", "http://127.0.0.1:15080", "simulated"),
    ("live", "https://demo-fapi.binance.com", "testnet"), ("live", "https://binance.com.evil.example", "simulated"),
    ("live", "http://localhost:1", "simulated"), ("simulated", "https://fapi.binance.com.", "live")])
def test_addresses_of_the_venue_are_of_the_environment(environment: str, url: str, world: str) -> None:
    found = broken(RUN__ENVIRONMENT=environment, RUN__CLOCK="system", EXECUTION__VENUE="binance",
                   BINANCE__LIVE_ORDERS="true", BINANCE__USDM__REST_URL=url)
    [problem] = found
    assert f"must be an address of {environment}, was one of {world}; correct it" in problem


@pytest.mark.parametrize("url", ["http://fapi.binance.com", "http://testnet.binancefuture.com"])
def test_keys_and_orders_go_to_an_exchange_encrypted_only(url: str) -> None:
    environment = "live" if url.endswith("binance.com") else "testnet"
    [problem] = broken(RUN__ENVIRONMENT=environment, RUN__CLOCK="system", EXECUTION__VENUE="binance",
                       BINANCE__LIVE_ORDERS="true", BINANCE__USDM__REST_URL=url)
    assert "must be encrypted at an exchange, was http; write https://" in problem


def test_no_other_venue_leads_to_the_exchange_around_the_two_steps() -> None:
    found = broken(RUN__ENVIRONMENT="live", RUN__CLOCK="system", EXECUTION__VENUE="lockstep")
    assert [problem.split(":")[0] for problem in found] == ["SLUICE_EXECUTION__VENUE", "binance.live_orders"]
    [problem] = broken(EXECUTION__VENUE="lockstep", BINANCE__COINM__REST_URL="https://dapi.binance.com")
    assert "must be an address of simulated, was one of live" in problem


@pytest.mark.parametrize("url", ["http://127.0.0.1:15080", "https://testnet.binancefuture.com",
                                 "http://fapi.binance.com"])
def test_live_orders_are_decided_on_the_live_market(url: str) -> None:
    live = {"RUN__ENVIRONMENT": "live", "RUN__CLOCK": "system", "EXECUTION__VENUE": "binance",
            "BINANCE__LIVE_ORDERS": "true", "SOURCE__KIND": "exchange"}
    assert broken(**live) == []
    [problem] = broken(**live, SOURCE__EXCHANGE__USDM__REST_URL=url)
    assert "must be an encrypted address of live" in problem


def test_addresses_of_a_venue_that_is_not_used_are_let_be() -> None:
    assert broken(BINANCE__USDM__REST_URL="https://fapi.binance.com") == []


def test_metrics_port_is_no_services_port() -> None:
    assert broken(RUN__METRICS_PORT="50053") == [
        "SLUICE_RUN__METRICS_PORT: must differ from the port of execution.address, was 50053; choose another port"]
    assert broken(RISK__METRICS_PORT="50052", RISK__ADDRESS="unix:/tmp/50052:50052") == []


def test_each_process_has_a_metrics_port_of_its_own() -> None:
    assert broken(RUN__METRICS_PORT="9100", RISK__METRICS_PORT="9100") == [
        f"SLUICE_{name}__METRICS_PORT: must differ from {other}.metrics_port, was 9100; choose another port"
        for name, other in (("RUN", "risk"), ("RISK", "run"))]
    assert broken(RUN__METRICS_PORT="9100", INFERENCE__METRICS_PORT="9101", RISK__METRICS_PORT="9102",
                  EXECUTION__METRICS_PORT="9103") == []
    assert broken(RUN__METRICS_PORT="0", RISK__METRICS_PORT="0") == []


@pytest.mark.parametrize("address", ["h:65536", "[::1]:99999"])
def test_port_is_at_most_65535(address: str) -> None:
    assert len(broken(RISK__ADDRESS=address)) == 1


@pytest.mark.parametrize("address", ["unix:/tmp/risk.sock", "[::1]:50052", "risk.local:1"])
def test_addresses_of_all_kinds_are_taken(address: str) -> None:
    assert broken(RISK__ADDRESS=address) == []


def test_simulated_account_holds_something() -> None:
    assert len(broken(ACCOUNT__BALANCES="{}")) == 1


@pytest.mark.parametrize(("key", "url"), [
    ("POSTGRES_URL", "postgresql://h/d"), ("POSTGRES_URL", "postgres://h/d"), ("REDIS_URL", "redis://h"),
    ("REDIS_URL", "rediss://h"), ("REDIS_URL", "unix:///tmp/r.sock")])
def test_url_of_its_own_store_is_taken(key: str, url: str) -> None:
    assert broken(**{f"STORES__{key}": url}) == []


@pytest.mark.parametrize(("key", "url"), [("POSTGRES_URL", "redis://h"), ("REDIS_URL", "localhost:6379")])
def test_url_of_another_store_is_refused(key: str, url: str) -> None:
    assert len(broken(**{f"STORES__{key}": url})) == 1


def test_instruments_to_trade_are_in_the_catalogue() -> None:
    (problem,) = broken(SOURCE__INSTRUMENTS="BINANCE_USDM:BTCUSDT,BINANCE_USDM:NOSUCH")
    assert "must name known instruments, was 'BINANCE_USDM:NOSUCH'" in problem


def test_a_live_market_needs_the_machines_clock_and_a_lockstep_exchange_that_of_events() -> None:
    assert [problem.split(":")[0] for problem in broken(SOURCE__KIND="exchange")] == ["run.clock"]
    assert broken(SOURCE__KIND="exchange", RUN__CLOCK="system") == []
    assert broken(SOURCE__KIND="exchange", SOURCE__EXCHANGE__CLOCK="lockstep") == []
    assert len(broken(SOURCE__KIND="exchange", SOURCE__EXCHANGE__CLOCK="lockstep", RUN__CLOCK="system")) == 1


def test_the_exchange_has_an_address_and_a_metrics_port_of_its_own() -> None:
    assert len(broken(EXCHANGE__ADDRESS="127.0.0.1:50052")) == 2
    assert len(broken(EXCHANGE__METRICS_PORT="9100", RISK__METRICS_PORT="9100")) == 2
    assert broken(EXCHANGE__ADDRESS="unix:/x") == [
        'SLUICE_EXCHANGE__ADDRESS: must be host:port, was \'unix:/x\'; write for example "127.0.0.1:15080"']
    assert broken(EXCHANGE__ADDRESS="localhost:0", RISK__ADDRESS="localhost:0") == []


@pytest.mark.parametrize(("key", "value"), [
    ("QUEUE_MODEL", "fifo"), ("QUEUE_MODEL", "best"), ("IMPACT_MODEL", "huge"), ("FEE_TIER", "10"),
    ("QUEUE_POWER", "0"), ("FUNDING_RATE", "1")])
def test_a_model_that_there_is_not_is_named(key: str, value: str) -> None:
    (problem,) = broken(**{f"EXCHANGE__{key}": value})
    assert problem.startswith(f"SLUICE_EXCHANGE__{key}: must be")
