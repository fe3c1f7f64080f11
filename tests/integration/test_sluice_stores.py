"""Connections and migrations against a real PostgreSQL and a real Redis."""

import asyncio
import threading
import uuid
from pathlib import Path

import pytest

from sluice.errors import ConfigurationError, InputError, NotRunningError
from sluice.stores import migrations, postgres, redis
from sluice.stores.embedded import StoreUrls

DEAD_POSTGRES = "postgresql://sluice:hunter22@127.0.0.1:1/x"
DEAD_REDIS = "redis://:hunter22@127.0.0.1:1/0"


@pytest.fixture
def schema() -> str:
    """A schema that no other test uses."""
    return postgres.schema_of("t" + uuid.uuid4().hex[:12], "stores")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one migration; its folder's name is the package's."""
    folder = tmp_path / ("m" + uuid.uuid4().hex[:12])
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "001_first.sql").write_text("CREATE TABLE thing (id int PRIMARY KEY);\nINSERT INTO thing VALUES (1);")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_schema_of_a_namespace_too_long_for_postgresql_is_refused() -> None:
    with pytest.raises(InputError, match="at most 63"):
        postgres.schema_of("n" * 60, "execution")


def test_migrations_are_applied_once_and_then_only_the_new_ones(stores: StoreUrls, schema: str, package: Path) -> None:
    assert migrations.migrate(stores.postgres_url, schema, package.name) == ["001_first.sql"]
    assert migrations.migrate(stores.postgres_url, schema, package.name) == []
    (package / "002_second.sql").write_text("ALTER TABLE thing ADD COLUMN name text")
    assert migrations.migrate(stores.postgres_url, schema, package.name) == ["002_second.sql"]
    with postgres.connect_sync(stores.postgres_url, schema) as connection:
        assert connection.execute("SELECT id, name FROM thing").fetchall() == [(1, None)]


def test_changed_migration_is_refused_and_changes_nothing(stores: StoreUrls, schema: str, package: Path) -> None:
    migrations.migrate(stores.postgres_url, schema, package.name)
    (package / "001_first.sql").write_text("DROP TABLE thing")
    with pytest.raises(ConfigurationError, match=r"001_first\.sql must be the one applied") as caught:
        migrations.migrate(stores.postgres_url, schema, package.name)
    assert "restore the files" in caught.value.fix
    with postgres.connect_sync(stores.postgres_url, schema) as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone() == (1,)


def test_migration_that_fails_half_way_leaves_nothing_behind(stores: StoreUrls, schema: str, package: Path) -> None:
    (package / "002_second.sql").write_text("CREATE TABLE half (id int);\nSELECT 1 / 0;")
    with pytest.raises(ConfigurationError, match=r"002_second\.sql must apply to .* division by zero"):
        migrations.migrate(stores.postgres_url, schema, package.name)
    with postgres.connect_sync(stores.postgres_url, schema) as connection:
        assert connection.execute("SELECT to_regclass('half'), to_regclass('thing')").fetchone() == (None, "thing")
    (package / "002_second.sql").write_text("CREATE TABLE half (id int)")
    assert migrations.migrate(stores.postgres_url, schema, package.name) == ["002_second.sql"]


def test_two_that_migrate_at_once_apply_each_file_once(stores: StoreUrls, schema: str, package: Path) -> None:
    (package / "002_slow.sql").write_text("SELECT pg_sleep(0.3); CREATE TABLE slow (id int)")
    done: list[list[str]] = []
    threads = [threading.Thread(
        target=lambda: done.append(migrations.migrate(stores.postgres_url, schema, package.name))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == [[], [], ["001_first.sql", "002_slow.sql"]]


def test_schemas_of_two_namespaces_never_meet(stores: StoreUrls, package: Path) -> None:
    one, other = (postgres.schema_of("t" + uuid.uuid4().hex[:12], "risk") for _ in range(2))
    for each in (one, other):
        migrations.migrate(stores.postgres_url, each, package.name)
    with postgres.connect_sync(stores.postgres_url, one) as connection:
        connection.execute("DELETE FROM thing")
    with postgres.connect_sync(stores.postgres_url, other) as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone() == (1,)


def test_async_connection_commits_by_itself_and_rolls_a_failed_transaction_back(
        stores: StoreUrls, schema: str, package: Path) -> None:
    migrations.migrate(stores.postgres_url, schema, package.name)

    async def scenario() -> None:
        connection = await postgres.connect(stores.postgres_url, schema)
        await connection.execute("INSERT INTO thing VALUES (2)")
        with pytest.raises(RuntimeError):
            await _insert_then_fail(connection)
        await connection.close()

    async def _insert_then_fail(connection: postgres.AsyncConnection) -> None:
        async with connection.transaction():
            await connection.execute("INSERT INTO thing VALUES (3)")
            raise RuntimeError("stop")

    asyncio.run(scenario())
    with postgres.connect_sync(stores.postgres_url, schema) as connection:
        assert connection.execute("SELECT id FROM thing ORDER BY id").fetchall() == [(1,), (2,)]
        assert connection.info.parameter_status("application_name") == f"sluice {schema}"


def test_unreachable_postgresql_is_named_without_its_password() -> None:
    with pytest.raises(NotRunningError, match=r"127\.0\.0\.1:1") as caught:
        postgres.connect_sync(DEAD_POSTGRES, "sluice_risk")
    assert "hunter22" not in str(caught.value)
    with pytest.raises(NotRunningError, match=r"127\.0\.0\.1:1"):
        asyncio.run(_connect_async(DEAD_POSTGRES))


async def _connect_async(url: str) -> None:
    await postgres.connect(url, "sluice_risk")


@pytest.mark.parametrize("url", ["nonsense", "http://db/x"])
def test_url_that_cannot_be_read_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"stores\.postgres_url must read postgresql://"):
        postgres.connect_sync(url, "sluice_risk")


def test_redis_answers_on_both_clients(stores: StoreUrls) -> None:
    name = redis.key("t" + uuid.uuid4().hex, "nonce", "00ff")
    client = redis.connect_sync(stores.redis_url)

    async def scenario() -> bytes | str | None:
        other = redis.connect_async(stores.redis_url)
        await redis.ensure_reachable(other, stores.redis_url)
        value = await other.get(name)
        await other.aclose()
        return value

    client.set(name, b"used")
    assert asyncio.run(scenario()) == b"used"
    client.close()


def test_unreachable_redis_is_named_without_its_password() -> None:
    with pytest.raises(NotRunningError, match=r"127\.0\.0\.1:1") as caught:
        redis.connect_sync(DEAD_REDIS)
    assert "hunter22" not in str(caught.value)

    async def scenario() -> None:
        client = redis.connect_async(DEAD_REDIS)
        try:
            await redis.ensure_reachable(client, DEAD_REDIS)
        finally:
            await client.aclose()

    with pytest.raises(NotRunningError, match=r"127\.0\.0\.1:1"):
        asyncio.run(scenario())


@pytest.mark.parametrize("url", ["nonsense", "http://cache/0"])
def test_redis_url_that_cannot_be_read_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"stores\.redis_url must read redis://"):
        redis.connect_async(url)
    with pytest.raises(ConfigurationError, match=r"stores\.redis_url must read redis://"):
        redis.connect_sync(url)
