"""The registry: a folder of bundles, `<root>/<name>/<version>/`, and `active.json`, which names the one in use.

Versions are content hashes, so they are unique over all names. A registry that cannot be written (the shipped one, an
image's layer) works without the pointer: the newest bundle is then the active one.
"""

import json
import logging
import os
import tempfile
from importlib import resources
from pathlib import Path

from inference.bundle import MANIFEST_FILE, Bundle, read_bundle, read_manifest
from inference.manifest import Manifest
from sluice.errors import InputError, NotFoundError, SluiceError

_log = logging.getLogger(__name__)
POINTER_FILE = "active.json"


def shipped_registry() -> Path:
    """Return the folder of the bundle that comes with the project."""
    return Path(str(resources.files("inference").joinpath("bundles")))


class Registry:
    """Finds bundles and remembers which one is active."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def manifests(self) -> list[Manifest]:
        """Return the manifests, oldest training first (ties by version); unreadable ones are logged and left out."""
        found = [manifest for folder in self._folders() if (manifest := _readable(folder)) is not None]
        return sorted(found, key=lambda manifest: (manifest.trained_at, manifest.version))

    def newest_version(self) -> str:
        """Return the version trained last. Raises `NotFoundError` where there is none."""
        if not (manifests := self.manifests()):
            raise NotFoundError(f"{self.root} must hold a model bundle, held none",
                                fix="train one: sluice train --tape PATH --out DIR")
        return manifests[-1].version

    def active_version(self) -> str:
        """Return the version that the pointer names, or the newest where there is no pointer."""
        try:
            pointer = json.loads((self.root / POINTER_FILE).read_bytes())
        except FileNotFoundError:
            return self.newest_version()
        except ValueError as error:
            raise InputError(f"{self.root / POINTER_FILE} must be JSON, was not", fix="delete it") from error
        if not isinstance(pointer, dict) or not isinstance(pointer.get("version"), str):
            raise InputError(f'{self.root / POINTER_FILE} must be {{"version": ...}}, was {pointer!r}', fix="delete it")
        return str(pointer["version"])

    def read(self, version: str) -> Bundle:
        """Read a bundle of a version. Raises `NotFoundError` or `InputError`."""
        known = {folder.name: folder for folder in self._folders()}
        if version not in known:
            raise NotFoundError(f"model version must be one of {', '.join(sorted(known)) or '(none)'}, was {version!r}")
        bundle = read_bundle(known[version])
        if bundle.version != version:
            raise InputError(f"folder {known[version]} must hold version {version}, was {bundle.version}")
        return bundle

    def activate(self, version: str) -> bool:
        """Point to a version, atomically; return False where the registry cannot be written."""
        try:
            with tempfile.NamedTemporaryFile("w", dir=self.root, prefix=".active-", delete=False) as temporary:
                json.dump({"version": version}, temporary)
                temporary.flush()
                os.fsync(temporary.fileno())
            path = Path(temporary.name)
            path.chmod(0o644)
            path.replace(self.root / POINTER_FILE)
        except OSError:
            return False
        return True

    def _folders(self) -> list[Path]:
        return sorted(path.parent for path in self.root.glob(f"*/[!.]*/{MANIFEST_FILE}"))


def _readable(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except SluiceError as error:
        _log.warning("bundle %s is left out: %s", folder, error)
        return None
