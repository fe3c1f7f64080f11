"""What a local flow needs around it: a market, instruments, stores and the services, made or started where missing.

The services are separate processes started through the command line, so that this room imports none of theirs. Services
that answer already are used as they are.
"""

import atexit
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import SecretStr

from dataflows.desk.desk import Desk
from dataflows.desk.live import LiveDesk
from dataflows.indicators.schema import FeatureSchema
from dataflows.market_actors import schema_of_settings, warm
from dataflows.sources.exchange.source import ExchangeSource
from dataflows.sources.tape import TapeSource
from dataflows.steps.stopping import stop_on_signal
from dataflows.traded import traded
from sluice.clock import NS_PER_MS
from sluice.config import Settings
from sluice.config.writing import write_settings
from sluice.errors import SluiceError
from sluice.instruments import InstrumentCatalog
from sluice.processes import own_process
from sluice.rpc import deployment, is_serving, wait_serving
from sluice.rpc.deployment import own_deployment
from sluice.stores.embedded import StoreUrls, stores
from sluice.supervisor import ProcessSpec, Supervisor

#: In the order in which they are started: risk needs execution's reports.
SERVICES = ("inference", "execution", "risk")
READY_TIMEOUT_S = 90.0


@dataclass
class LocalRun:
    """One local run: everything that `local_flow` composes. Services and stores end with the process, or by `close`."""

    settings: Settings
    catalog: InstrumentCatalog
    source: TapeSource | ExchangeSource
    redis_url: str
    _stack: ExitStack = field(repr=False, default_factory=ExitStack)

    @classmethod
    def prepare(cls, settings: Settings) -> "LocalRun":
        """Find or make the tape, start what is missing, and stop it all when the process ends."""
        stack = ExitStack()
        atexit.register(stack.close)
        settings = with_tape(settings)
        catalog = traded(settings)
        urls = stack.enter_context(stores(settings))
        stack.enter_context(services(with_stores(settings, urls)))
        source = market_source(settings, catalog)
        stop_on_signal(source)
        return cls(settings, catalog, source, urls.redis_url, stack)

    @property
    def folder(self) -> Path:
        """Return the folder that the flow writes into."""
        return self.settings.run.data_dir / "flow"

    @property
    def namespace(self) -> str:
        """Return the run's namespace."""
        return self.settings.run.namespace

    @property
    def account(self) -> str:
        """Return the account's name."""
        return self.settings.account.name

    @property
    def schema(self) -> FeatureSchema:
        """Return the schema of the rows."""
        return schema_of_settings(self.settings.features)

    def desk(self) -> Desk:
        """Return the desk, made at first use."""
        return self._desk

    @cached_property
    def _desk(self) -> Desk:
        settings = self.settings
        addresses = (settings.inference.address, settings.risk.address, settings.execution.address)
        kind = LiveDesk if settings.source.live else Desk
        return kind(addresses, self.catalog, settings.strategy.name)

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()


def market_source(settings: Settings, catalog: InstrumentCatalog) -> TapeSource | ExchangeSource:
    """Return where the market of a run comes from. A live one waits for no kernel once it has begun."""
    source = settings.source
    if source.live:
        warm(schema_of_settings(settings.features))
    interval_ns = source.tick_interval_ms * NS_PER_MS
    if source.kind == "exchange":
        return ExchangeSource(source.exchange, catalog, interval_ns=interval_ns, batch_lines=source.batch_lines)
    return TapeSource(source.tapes, catalog, interval_ns=interval_ns, batch_lines=source.batch_lines)


def with_tape(settings: Settings) -> Settings:
    """Return settings that name a market: an exchange, the configured tapes, or a synthetic one in the data folder."""
    if settings.source.tapes or settings.source.kind == "exchange":
        return settings
    folder = settings.run.data_dir / "tapes" / "synthetic"
    if not any(folder.glob("*.gz")):
        made = subprocess.run(
            [sys.executable, "-m", "sluice", "tape", "make", "-o", str(folder)], check=False, stdout=sys.stderr)
        if made.returncode:
            raise SluiceError(f"a synthetic tape must be made in {folder}, and was not", fix="name one: --tape PATH")
    return settings.model_copy(update={"source": settings.source.model_copy(update={"tapes": (folder,)})})


def with_stores(settings: Settings, urls: StoreUrls) -> Settings:
    """Return settings that name the stores, for the processes that a run starts."""
    named = settings.stores.model_copy(update={
        "postgres_url": SecretStr(urls.postgres_url), "redis_url": SecretStr(urls.redis_url)})
    return settings.model_copy(update={"stores": named})


@contextmanager
def services(settings: Settings) -> Iterator[None]:
    """Run with the three services: those that answer, or own ones for as long as the block lasts.

    Where we were started together with them, they are waited for: one that is away is being started again, and a second
    one must not take its place. Raises `DeadlineError` then.
    """
    addresses = [service_address(settings, name) for name in SERVICES]
    if own_deployment():
        for address in addresses:
            wait_serving(address, timeout_s=READY_TIMEOUT_S)
        yield
        return
    if all(map(is_serving, addresses)):
        yield
        return
    config = settings.run.data_dir / "run" / "services.toml"
    write_settings(settings, config)
    with deployment(), Supervisor() as supervisor:
        for name in SERVICES:
            supervisor.start(service_spec(settings, name, config))
        for name in SERVICES:
            supervisor.wait_ready(name, READY_TIMEOUT_S)
        with watched(supervisor):
            yield


def service_address(settings: Settings, name: str) -> str:
    """Return the configured address of a service."""
    address: str = getattr(settings, name).address
    return address


def service_spec(settings: Settings, name: str, config: Path) -> ProcessSpec:
    """Return how to start a service with a written configuration, which nothing of our environment overrides."""
    return own_process(settings, name, "serve", name, config=config, address=service_address(settings, name))


@contextmanager
def watched(supervisor: Supervisor) -> Iterator[None]:
    """Poll the supervisor beside whatever the block does, so that a service that dies is started again."""
    over = threading.Event()

    def poll() -> None:
        while not over.wait(0.2):
            supervisor.poll()

    thread = threading.Thread(target=poll, name="supervisor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
