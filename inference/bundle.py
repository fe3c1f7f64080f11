"""A bundle on disk: `<registry>/<name>/<version>/` with manifest.json, regime.onnx, alpha.onnx and CARD.md.

A bundle is never changed after it was written: another training gives another version, hence another folder.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from inference.manifest import Manifest
from sluice.errors import InputError, NotFoundError

MANIFEST_FILE = "manifest.json"
REGIME_FILE = "regime.onnx"
ALPHA_FILE = "alpha.onnx"
CARD_FILE = "CARD.md"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle read into memory, every file checked against the manifest's SHA-256."""

    manifest: Manifest
    files: dict[str, bytes]

    @property
    def version(self) -> str:
        """Return the first 12 digits of the bundle's SHA-256."""
        return self.manifest.version


def seal(manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Return the bundle of these files: their digests go into the manifest, and from it comes the version."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    return Bundle(replace(manifest, files=digests).sealed(), dict(files))


def write_bundle(bundle: Bundle, registry: Path) -> Path:
    """Write a bundle into a registry and return its folder; one of the same version that is there already is kept.

    The folder appears whole or not at all: it is written beside its place and renamed.
    """
    folder = registry / bundle.manifest.name / bundle.version
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        temporary.chmod(0o755)
        for name, content in {**bundle.files, MANIFEST_FILE: bundle.manifest.to_json()}.items():
            (temporary / name).write_bytes(content)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a bundle's folder. Raises `NotFoundError` or `InputError`."""
    try:
        return Manifest.from_json((folder / MANIFEST_FILE).read_bytes())
    except OSError as error:
        raise NotFoundError(f"{folder} must be a model bundle, had no readable {MANIFEST_FILE}",
                            fix="name the folder that `sluice train --out` was given") from error


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle and check every file. Raises `NotFoundError`, or `InputError` where a file was changed."""
    manifest = read_manifest(folder)
    return Bundle(manifest, {name: _read_checked(folder / name, digest) for name, digest in manifest.files.items()})


def _read_checked(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"bundle file {path} must be readable, was not: {error.strerror}") from error
    if (actual := hashlib.sha256(content).hexdigest()) != digest:
        raise InputError(f"SHA-256 of {path} must be {digest}, was {actual}",
                         fix="the bundle was changed: train it again")
    return content
