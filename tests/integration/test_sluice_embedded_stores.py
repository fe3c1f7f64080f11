"""Embedded stores with real processes: several users at once, `kill -9` of each part, and nothing left behind."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from sluice.config.settings import RunSettings, Settings, StoreSettings
from sluice.errors import ConfigurationError
from sluice.stores import redis
from sluice.stores.embedded import StoreUrls, stores

ROOT = Path(__file__).resolve().parents[2]
USER = """
import json, sys
from pathlib import Path
from sluice.config.settings import RunSettings, Settings
from sluice.stores.embedded import stores
with stores(Settings(run=RunSettings(data_dir=Path(sys.argv[1])))) as urls:
    print(json.dumps([urls.postgres_url, urls.redis_url]), flush=True)
    sys.stdin.read()
"""


def settings(data_dir: Path) -> Settings:
    return Settings(run=RunSettings(data_dir=data_dir))


class User:
    """Another process that uses the stores until it is told to leave."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", USER, str(data_dir)], cwd=ROOT, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def urls(self) -> StoreUrls:
        assert self.process.stdout is not None
        return StoreUrls(*json.loads(self.process.stdout.readline()))

    def leave(self) -> int:
        self.process.communicate("", timeout=30)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def start() -> User:
        users.append(User(tmp_path))
        return users[-1]

    yield start
    for each in users:
        if each.process.poll() is None:
            each.kill()


def processes(data_dir: Path, word: str = "") -> list[psutil.Process]:
    """The keeper (`sluice.stores.keeper`), PostgreSQL and Redis of this folder, and nobody else's."""
    address = data_dir / "stores" / "keeper.address"
    places = [str(data_dir / "stores")]
    if address.exists():
        places.append(str(Path(address.read_text()).parent))
    found = []
    for each in psutil.process_iter(["cmdline"]):
        line = " ".join(each.info["cmdline"] or ())
        if any(place in line for place in places) and word in line:
            found.append(each)
    return found


def main_process(data_dir: Path, word: str) -> psutil.Process:
    """The process with this word on its command line that has no parent with it too."""
    found = processes(data_dir, word)
    return next(each for each in found if each.parent() not in found)


def eventually(condition: Callable[[], bool], timeout_s: float = 15.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def write(urls: StoreUrls, value: int) -> None:
    with psycopg.connect(urls.postgres_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mark (value int)")
        connection.execute("INSERT INTO mark VALUES (%s)", (value,))


def values(urls: StoreUrls) -> list[int]:
    with psycopg.connect(urls.postgres_url) as connection:
        return [value for value, in connection.execute("SELECT value FROM mark ORDER BY value")]


def answers(urls: StoreUrls) -> bool:
    try:
        psycopg.connect(urls.postgres_url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_stores_keep_their_data_and_leave_no_process(tmp_path: Path) -> None:
    with stores(settings(tmp_path)) as urls:
        write(urls, 1)
        assert len(processes(tmp_path)) >= 3
        runtime_folder = Path((tmp_path / "stores" / "keeper.address").read_text()).parent
    assert processes(tmp_path) == []
    assert not runtime_folder.exists()
    with stores(settings(tmp_path)) as urls:
        assert values(urls) == [1]


def test_commits_survive_a_crash_because_fsync_is_on(tmp_path: Path) -> None:
    with stores(settings(tmp_path)) as urls, psycopg.connect(urls.postgres_url) as connection:
        assert connection.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')"
                                  ).fetchone() == ("on", "on")


def test_users_that_start_at_once_share_one_pair_of_servers(tmp_path: Path, user: Callable[[], User]) -> None:
    users = [user() for _ in range(3)]
    assert len({each.urls() for each in users}) == 1
    with stores(settings(tmp_path)) as mine:
        write(mine, 7)
        assert [each.leave() for each in users] == [0, 0, 0]
        assert values(mine) == [7]
    assert eventually(lambda: processes(tmp_path) == [])


def test_other_users_go_on_when_the_one_that_started_the_stores_is_killed(
        tmp_path: Path, user: Callable[[], User]) -> None:
    owner = user()
    urls = owner.urls()
    with stores(settings(tmp_path)) as mine:
        assert mine == urls
        owner.kill()
        time.sleep(0.3)
        write(mine, 1)
        assert values(mine) == [1]
    assert eventually(lambda: processes(tmp_path) == [])


def test_nothing_stays_when_the_only_user_is_killed(tmp_path: Path, user: Callable[[], User]) -> None:
    owner = user()
    write(owner.urls(), 5)
    owner.kill()
    assert eventually(lambda: processes(tmp_path) == [])
    with stores(settings(tmp_path)) as urls:
        assert values(urls) == [5]


def test_user_that_comes_while_the_stores_are_ending_gets_new_ones(tmp_path: Path, user: Callable[[], User]) -> None:
    for attempt in range(3):
        owner = user()
        write(owner.urls(), attempt)
        owner.kill()
        with stores(settings(tmp_path)) as urls:
            assert values(urls) == list(range(attempt + 1))


def test_killed_keeper_is_started_again_at_the_same_urls(tmp_path: Path, user: Callable[[], User]) -> None:
    other = user()
    with stores(settings(tmp_path)) as urls:
        assert other.urls() == urls
        for value in range(2):
            write(urls, value)
            before = main_process(tmp_path, "sluice.stores.keeper")
            os.kill(before.pid, signal.SIGKILL)
            assert eventually(lambda: not answers(urls))
            assert eventually(lambda: answers(urls))
            assert values(urls) == list(range(value + 1))
        assert other.leave() == 0
        assert answers(urls)
    assert eventually(lambda: processes(tmp_path) == [])


def test_nothing_stays_when_the_keeper_and_its_user_are_killed_and_the_next_user_recovers(
        tmp_path: Path, user: Callable[[], User]) -> None:
    owner = user()
    write(owner.urls(), 3)
    keeper = main_process(tmp_path, "sluice.stores.keeper")
    owner.kill()
    keeper.kill()
    assert eventually(lambda: processes(tmp_path) == [])
    with stores(settings(tmp_path)) as urls:
        assert values(urls) == [3]


@pytest.mark.parametrize(("word", "number"), [("-D", signal.SIGKILL), ("-D", signal.SIGQUIT)])
def test_killed_postgresql_is_started_again_at_the_same_url(tmp_path: Path, word: str, number: int) -> None:
    with stores(settings(tmp_path)) as urls:
        write(urls, 1)
        os.kill(main_process(tmp_path, word).pid, number)
        assert eventually(lambda: answers(urls))
        write(urls, 2)
        assert values(urls) == [1, 2]
    assert processes(tmp_path) == []


def test_postgresql_killed_while_it_starts_is_started_again(tmp_path: Path) -> None:
    def kill_one() -> None:
        found = eventually(lambda: bool(processes(tmp_path, "-D")))
        assert found
        os.kill(main_process(tmp_path, "-D").pid, signal.SIGKILL)

    for value in range(3):
        with ThreadPoolExecutor(1) as pool:
            killed = pool.submit(kill_one)
            with stores(settings(tmp_path)) as urls:
                killed.result()
                assert eventually(lambda: answers(urls))
                write(urls, value)
                assert values(urls) == list(range(value + 1))


def test_killed_redis_is_started_again_at_the_same_url_and_knows_what_it_knew(tmp_path: Path) -> None:
    with stores(settings(tmp_path)) as urls:
        client = redis.connect_sync(urls.redis_url)
        client.set("nonce", b"used")
        old = client.info()["process_id"]
        client.close()
        os.kill(old, signal.SIGKILL)

        def restarted() -> bool:
            try:
                fresh = redis.connect_sync(urls.redis_url)
            except Exception:  # noqa: BLE001  # any failure means: not yet
                return False
            new, known = fresh.info()["process_id"], fresh.get("nonce")
            fresh.close()
            return bool(new != old and known == b"used")

        assert eventually(restarted)


def test_data_folder_too_long_for_a_socket_works(tmp_path: Path) -> None:
    long = tmp_path / ("folder" * 20) / ("folder" * 20)
    with stores(settings(long)) as urls:
        write(urls, 1)
        assert values(urls) == [1]


def test_pid_file_that_names_another_living_process_is_no_obstacle(tmp_path: Path) -> None:
    with stores(settings(tmp_path)) as urls:
        write(urls, 1)
    pid_file = tmp_path / "stores" / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1700000000\n5432\n/tmp\n\n  1 1\nready\n")
    with stores(settings(tmp_path)) as urls:
        assert values(urls) == [1]


def test_database_that_was_never_finished_is_made_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "stores" / "postgres.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("16")
    with stores(settings(tmp_path)) as urls:
        write(urls, 1)
        assert values(urls) == [1]


def test_server_that_cannot_start_is_reported_with_its_log(tmp_path: Path) -> None:
    with stores(settings(tmp_path)):
        pass
    (tmp_path / "stores" / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Exception, match="embedded postgres must start") as caught, stores(settings(tmp_path)):
        pass
    assert "not compatible" in str(caught.value)
    assert eventually(lambda: processes(tmp_path) == [])


def test_given_urls_start_nothing(tmp_path: Path) -> None:
    given = StoreSettings.model_validate({"postgres_url": "postgresql://db/x", "redis_url": "redis://cache/0"})
    with stores(Settings(run=RunSettings(data_dir=tmp_path), stores=given)) as urls:
        assert urls == StoreUrls("postgresql://db/x", "redis://cache/0")
        assert not (tmp_path / "stores").exists()


def test_only_the_store_without_a_url_is_started(tmp_path: Path) -> None:
    given = StoreSettings.model_validate({"postgres_url": "postgresql://db/x"})
    with stores(Settings(run=RunSettings(data_dir=tmp_path), stores=given)) as urls:
        assert urls.postgres_url == "postgresql://db/x"
        redis.connect_sync(urls.redis_url).close()
        assert not (tmp_path / "stores" / "postgres").exists()


def test_missing_wheels_are_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pgserver must be installed") as caught, stores(settings(tmp_path)):
        pass
    assert "pip install 'sluice[local]'" in caught.value.fix
