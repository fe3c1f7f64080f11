"""The stores of a run: those whose URLs are given, and embedded ones inside the data folder for the others.

Any number of processes may ask for the same data folder's stores at once: the first starts them, the others attach,
the last to leave stops them. That holds however a user ends, `kill -9` included (see `sluice.stores.keeper`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sluice.config.settings import Settings
from sluice.errors import InputError
from sluice.stores import servers
from sluice.stores.membership import Membership

FOLDER = "stores"


@dataclass(frozen=True, slots=True)
class StoreUrls:
    """Where a run's stores are."""

    postgres_url: str
    redis_url: str


@contextmanager
def stores(settings: Settings) -> Iterator[StoreUrls]:
    """Give the URLs of a run's stores, started where no URL is configured, for as long as the block lasts.

    Blocks for about two seconds where a database has to be made. Raises ConfigurationError where the wheels are
    missing and NotRunningError where a server does not start.
    """
    given = {servers.POSTGRES: settings.stores.postgres_url.get_secret_value(),
             servers.REDIS: settings.stores.redis_url.get_secret_value()}
    missing = [name for name, url in given.items() if not url]
    with _embedded(settings.run.data_dir, missing) as started:
        urls = {**given, **started}
        yield StoreUrls(urls[servers.POSTGRES], urls[servers.REDIS])


def _folder(data_dir: Path) -> Path:
    folder = data_dir.expanduser().resolve() / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the data folder must be writable, was {data_dir} ({error.strerror})",
                         fix="set run.data_dir to a folder of yours") from None
    return folder


@contextmanager
def _embedded(data_dir: Path, names: Sequence[str]) -> Iterator[dict[str, str]]:
    if not names:
        yield {}
        return
    for name in names:
        servers.check_wheel(name)
    membership = Membership(_folder(data_dir), names)
    try:
        yield membership.urls
    finally:
        membership.leave()
