"""The demo's world: free addresses, chosen by one demo at a time, through a lock that nobody else can bend."""

import os
import tempfile
from pathlib import Path
from threading import Thread

import pytest

from backtest.demo.world import choosing_addresses


@pytest.fixture(autouse=True)
def shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /tmp."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_one_demo_at_a_time_chooses_its_addresses() -> None:
    events: list[str] = []

    def second() -> None:
        with choosing_addresses():
            events.append("second")

    with choosing_addresses():
        waiting = Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        events.append("first")
    waiting.join(10)
    assert events == ["first", "second"]


def test_a_link_in_the_place_of_the_lock_is_not_followed(shared_folder: Path) -> None:
    precious = shared_folder / "precious"
    precious.write_text("content")
    (shared_folder / f"sluice-addresses-{os.getuid()}.lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"), choosing_addresses():
        pytest.fail("the lock was taken")
    assert precious.read_text() == "content"
