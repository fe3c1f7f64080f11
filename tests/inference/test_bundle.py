import json
from dataclasses import replace
from pathlib import Path

import pytest

from inference.bundle import ALPHA_FILE, CARD_FILE, MANIFEST_FILE, REGIME_FILE, read_bundle, seal, write_bundle
from inference.manifest import Manifest
from sluice.errors import InputError, NotFoundError
from tests.inference.making import made_bundle


def test_bundle_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = made_bundle()
    folder = write_bundle(bundle, tmp_path)
    assert folder == tmp_path / "market" / bundle.version
    assert read_bundle(folder) == bundle
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [MANIFEST_FILE, REGIME_FILE, ALPHA_FILE, CARD_FILE])


def test_writing_the_same_version_again_changes_nothing(tmp_path: Path) -> None:
    folder = write_bundle(made_bundle(), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert write_bundle(made_bundle(), tmp_path) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", [REGIME_FILE, ALPHA_FILE, CARD_FILE])
def test_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_bundle(made_bundle(), tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="SHA-256"):
        read_bundle(folder)


def test_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_bundle(made_bundle(), tmp_path)
    (folder / ALPHA_FILE).unlink()
    with pytest.raises(NotFoundError, match=ALPHA_FILE):
        read_bundle(folder)


def test_changed_policy_is_refused_because_the_version_covers_the_manifest(tmp_path: Path) -> None:
    folder = write_bundle(made_bundle(), tmp_path)
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    manifest["policy"]["entry_bps"] /= 2
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="version must be"):
        read_bundle(folder)


def test_version_changes_with_a_files_content() -> None:
    bundle = made_bundle()
    other = seal(bundle.manifest, {**bundle.files, CARD_FILE: b"another card"})
    assert other.version != bundle.version
    assert len(other.version) == 12


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"name": 3}', b"\xff\xfe"])
def test_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(InputError, match=r"manifest\.json must be"):
        read_bundle(tmp_path)


def test_folder_without_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must be a model bundle"):
        read_bundle(tmp_path)


def test_manifest_of_another_format_is_refused() -> None:
    manifest = replace(made_bundle().manifest, format=99).sealed()
    with pytest.raises(InputError, match="format must be 1, was 99"):
        Manifest.from_json(manifest.to_json())


def test_manifest_whose_policy_acts_on_no_horizon_is_refused() -> None:
    manifest = made_bundle().manifest
    manifest = replace(manifest, policy=replace(manifest.policy, horizon="return_9s")).sealed()
    with pytest.raises(InputError, match="policy horizon"):
        Manifest.from_json(manifest.to_json())


def test_manifest_with_an_error_size_too_few_is_refused() -> None:
    manifest = made_bundle().manifest
    short = replace(manifest.horizons[0], residual_sigma_bps=(1.0,))
    with pytest.raises(InputError, match="residual_sigma_bps"):
        Manifest.from_json(replace(manifest, horizons=(short, *manifest.horizons[1:])).sealed().to_json())
