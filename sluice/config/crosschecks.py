"""What no single setting can say: rules between settings. Each rule yields its problems and never raises."""

from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from sluice.config import shape
from sluice.config.binance import world_of
from sluice.config.settings import Settings
from sluice.errors import ConfigurationError
from sluice.instruments import Instrument, InstrumentCatalog

#: The place that is wrong, the problem, and how to mend it.
Finding = tuple[shape.Path, str, str]
SERVICES = ("inference", "risk", "execution", "exchange")


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield every broken rule."""
    for rule in RULES:
        yield from rule(settings)


def _addresses(settings: Settings) -> dict[str, str]:
    return {name: getattr(settings, name).address for name in SERVICES}


def different_addresses(settings: Settings) -> Iterator[Finding]:
    """No two services can listen at one address, except where each finds a free port."""
    addresses = {name: address for name, address in _addresses(settings).items() if not address.endswith(":0")}
    counted = Counter(addresses.values())
    for name, address in addresses.items():
        if counted[address] > 1:
            others = " and ".join(f"{other}.address" for other in addresses if other != name
                                  and addresses[other] == address)
            yield (name, "address"), f"must differ from {others}, was {address!r}", "give each service its own port"


def free_metrics_ports(settings: Settings) -> Iterator[Finding]:
    """Each process has a metrics port of its own, which is no service's port either."""
    metrics = {name: getattr(settings, name).metrics_port for name in ("run", *SERVICES)}
    addresses = _addresses(settings)
    taken = {f"the port of {name}.address": address.rpartition(":")[2] for name, address in addresses.items()
             if not address.startswith("unix:")}
    taken |= {f"{name}.metrics_port": str(port) for name, port in metrics.items()}
    for name, port in metrics.items():
        place = f"{name}.metrics_port"
        others = [other for other, used in taken.items() if port and other != place and used == str(port)]
        if others:
            yield (name, "metrics_port"), f"must differ from {' and '.join(others)}, was {port}", "choose another port"


def valid_ports(settings: Settings) -> Iterator[Finding]:
    """A TCP port is at most 65535."""
    for name, address in _addresses(settings).items():
        if not address.startswith("unix:") and int(address.rpartition(":")[2]) > 65535:
            yield (name, "address"), f"must have a port of at most 65535, was {address!r}", "choose another port"


def exchange_port(settings: Settings) -> Iterator[Finding]:
    """Clients of an exchange come by TCP."""
    if settings.exchange.address.startswith("unix:"):
        yield (("exchange", "address"), f"must be host:port, was {settings.exchange.address!r}",
               'write for example "127.0.0.1:15080"')


def real_orders(settings: Settings) -> Iterator[Finding]:
    """Orders to an exchange need its own time and its own venue."""
    environment = settings.run.environment
    if environment == "simulated":
        return
    if settings.run.clock != "system":
        yield (("run", "clock"), f"must be system where run.environment is {environment}, was {settings.run.clock!r}",
               'set run.clock = "system"')
    if settings.execution.venue == "simulated":
        yield (("execution", "venue"), f"must be an exchange where run.environment is {environment}, was 'simulated'",
               'name a venue, or set run.environment = "simulated"')


def funded_account(settings: Settings) -> Iterator[Finding]:
    """A simulated account starts with something."""
    if settings.run.environment == "simulated" and not settings.account.balances:
        yield ("account", "balances"), "must hold at least one asset, was empty", 'add a line such as USDT = "100000"'


def store_schemes(settings: Settings) -> Iterator[Finding]:
    """A store's URL names its store; the URL itself is never shown, because it may hold a password."""
    for key, schemes in (("postgres_url", ("postgresql", "postgres")), ("redis_url", ("redis", "rediss", "unix"))):
        url = getattr(settings.stores, key).get_secret_value()
        if url and url.partition("://")[0] not in schemes:
            yield (("stores", key), f"must start with {schemes[0]}://, was another scheme",
                   f"write {schemes[0]}://user:password@host:port/...")


def known_instruments(settings: Settings) -> Iterator[Finding]:
    """The instruments' tables can be read, and the instruments to trade are among them."""
    own: list[Instrument] = []
    for number, table in enumerate(settings.instruments):
        try:
            own.append(Instrument.from_table(table))
        except ConfigurationError as error:
            for problem in error.problems:
                yield ("instruments", number), problem, "see sluice/instruments.toml for complete entries"
    catalog = InstrumentCatalog.shipped().merged(InstrumentCatalog(own))
    for key in settings.source.instruments:
        if catalog.get(key) is None:
            known = ", ".join(instrument.key for instrument in catalog)
            yield ("source", "instruments"), f"must name known instruments, was {key!r}", f"known are {known}"
    if catalog.get(settings.features.reference) is None:
        known = ", ".join(instrument.key for instrument in catalog)
        problem = f"must be a known instrument, was {settings.features.reference!r}"
        yield ("features", "reference"), problem, f"known are {known}"


def different_bars(settings: Settings) -> Iterator[Finding]:
    """Bars of one length are there once."""
    for length, count in Counter(settings.features.bars).items():
        if count > 1:
            yield ("features", "bars"), f"must be lengths that differ, had {length} {count} times", "leave one of them"


def source_clock(settings: Settings) -> Iterator[Finding]:
    """Services follow the events of a replay, and the machine's clock where the market goes on by itself."""
    if settings.source.kind != "exchange":
        return
    wanted = "system" if settings.source.live else "event"
    if settings.run.clock != wanted:
        clock = settings.source.exchange.clock
        problem = f"must be {wanted} where source.exchange.clock is {clock}, was {settings.run.clock!r}"
        yield ("run", "clock"), problem, f'set run.clock = "{wanted}"'


def binance_world(settings: Settings) -> Iterator[Finding]:
    """The venue's addresses are those of the environment, and live orders are confirmed where they are meant."""
    environment, binance = settings.run.environment, settings.binance
    if settings.execution.venue not in _BINANCE_VENUES:
        return
    if environment != "simulated" and settings.execution.venue != "binance":
        yield (("execution", "venue"), (f"must be binance where run.environment is {environment}, was "
               f"{settings.execution.venue!r}"), 'set execution.venue = "binance"')
    if environment == "live" and not binance.live_orders:
        yield (("binance", "live_orders"), "must be true where run.environment is live, was False",
               "set binance.live_orders = true, or trade in another environment")
    for product in ("usdm", "coinm"):
        for name, url in binance.resolved(product, environment):
            if (world := world_of(url)) != environment:
                yield (("binance", product, name), f"must be an address of {environment}, was one of {world}",
                       "correct it, leave it empty, or change run.environment")
            elif world != "simulated" and urlsplit(url).scheme not in _ENCRYPTED:
                yield (("binance", product, name), f"must be encrypted at an exchange, was {urlsplit(url).scheme}",
                       "write https:// or wss://, or leave it empty")


def market_of_the_orders(settings: Settings) -> Iterator[Finding]:
    """Live orders are decided on the live market, not on one that is made up or meant for tests."""
    if settings.run.environment != "live" or settings.source.kind != "exchange":
        return
    for product in ("usdm", "coinm"):
        for name, url in getattr(settings.source.exchange, product):
            if (world := world_of(url)) != "live" or urlsplit(url).scheme not in _ENCRYPTED:
                yield (("source", "exchange", product, name), ("must be an encrypted address of live where "
                       f"run.environment is live, was one of {world}"), "correct it, or leave it out")


_BINANCE_VENUES = frozenset({"binance", "lockstep"})
_ENCRYPTED = frozenset({"https", "wss"})
RULES: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    different_addresses, free_metrics_ports, valid_ports, exchange_port, real_orders, funded_account, store_schemes,
    known_instruments, different_bars, source_clock, binance_world, market_of_the_orders)


def describe(found: Finding, where: Callable[[shape.Path], str]) -> str:
    """Return a broken rule as `WHERE: PROBLEM; FIX`."""
    place, problem, fix = found
    return f"{where(place)}: {problem}; {fix}"
