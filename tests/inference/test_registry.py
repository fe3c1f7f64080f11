from pathlib import Path

import pytest

from inference.bundle import write_bundle
from inference.registry import POINTER_FILE, Registry
from sluice.errors import InputError, NotFoundError
from tests.inference.making import made_bundle


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    write_bundle(made_bundle(1), tmp_path)
    write_bundle(made_bundle(2), tmp_path)
    return Registry(tmp_path)


def test_newest_is_active_without_a_pointer(registry: Registry) -> None:
    versions = [manifest.version for manifest in registry.manifests()]
    assert sorted(versions) == sorted([made_bundle(1).version, made_bundle(2).version])
    assert registry.active_version() == registry.newest_version() == versions[-1]


def test_pointer_names_the_active_one(registry: Registry) -> None:
    oldest = registry.manifests()[0].version
    assert registry.activate(oldest)
    assert registry.active_version() == oldest
    assert Registry(registry.root).read(oldest).version == oldest
    assert [path.name for path in registry.root.iterdir() if path.is_file()] == [POINTER_FILE]


def test_registry_that_cannot_be_written_is_told_and_not_changed(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "missing")
    assert not registry.activate("abc")


def test_unknown_version_is_refused_with_the_known_ones(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match=f"{made_bundle(1).version}.*was 'nope'"):
        registry.read("nope")


def test_version_that_climbs_out_of_the_registry_is_refused(registry: Registry) -> None:
    with pytest.raises(NotFoundError):
        registry.read("../market/" + made_bundle(1).version)


def test_empty_registry_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must hold a model bundle") as caught:
        Registry(tmp_path).active_version()
    assert "sluice train" in caught.value.fix


@pytest.mark.parametrize("pointer", ["", "[]", '{"version": 3}', "{}"])
def test_damaged_pointer_is_refused(registry: Registry, pointer: str) -> None:
    (registry.root / POINTER_FILE).write_text(pointer)
    with pytest.raises(InputError, match=r"active\.json must be"):
        registry.active_version()


def test_unreadable_bundle_is_left_out(registry: Registry) -> None:
    bad = registry.root / "market" / "bad"
    bad.mkdir()
    (bad / "manifest.json").write_text("{}")
    assert len(registry.manifests()) == 2
    with pytest.raises(InputError):
        registry.read("bad")


def test_bundle_in_a_folder_of_another_name_is_refused(registry: Registry) -> None:
    version = made_bundle(1).version
    (registry.root / "market" / version).rename(registry.root / "market" / "renamed")
    with pytest.raises(InputError, match="must hold version renamed"):
        registry.read("renamed")
