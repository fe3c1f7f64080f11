"""What every test that needs a real PostgreSQL, Redis or Kafka shares: one of each for the whole run of tests."""

from collections.abc import Iterator

import pytest

from sluice.broker.local import LocalBroker, local_broker
from sluice.config.settings import RunSettings, Settings
from sluice.stores.embedded import StoreUrls
from sluice.stores.embedded import stores as open_stores


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreUrls]:
    """Real servers from the wheels; each test makes a namespace of its own in them."""
    settings = Settings(run=RunSettings(data_dir=tmp_path_factory.mktemp("stores")))
    with open_stores(settings) as urls:
        yield urls


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A real Apache Kafka; a test is marked `needs("kafka")` and names its topics with a prefix of its own."""
    with local_broker(tmp_path_factory.mktemp("kafka"), short_lived=True) as broker:
        yield broker
