"""What every test that needs a real PostgreSQL or Redis shares: one pair of servers for the whole run of tests."""

from collections.abc import Iterator

import pytest

from sluice.config.settings import RunSettings, Settings
from sluice.stores.embedded import StoreUrls
from sluice.stores.embedded import stores as open_stores


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreUrls]:
    """Real servers from the wheels; each test makes a namespace of its own in them."""
    settings = Settings(run=RunSettings(data_dir=tmp_path_factory.mktemp("stores")))
    with open_stores(settings) as urls:
        yield urls
