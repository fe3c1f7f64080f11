"""The files of the approval keys: risk's private key, and the public keys that execution trusts.

The private key is made once, whole or not at all, for its owner alone. Risk publishes its public key beside it; keys
that are there stay, so that a rotation can overlap, until somebody takes them out of the file.

What is wrong with a file is a `ConfigurationError` that says what to do; what is in it is never quoted.
"""

import json
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sluice.envelope import Signer, key_id_of
from sluice.errors import ConfigurationError
from sluice.files import replace_file

PRIVATE_KEY_FILE: Final = "risk_signing_key.pem"
PUBLIC_KEY_FILE: Final = "risk_public_keys.json"
#: What nobody but the owner may do with the private key; its group may read it, as mounted secrets need it.
_NOT_FOR_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
_FIX_PRIVATE: Final = "restore it, or delete it: risk then makes a new key and what it has approved before ends"
_FIX_PUBLIC: Final = "repair it, or delete it: risk publishes its key again at its next start"


def load_or_create_signer(directory: Path) -> Signer:
    """Load risk's private key from a folder, or make one there, and publish its public key beside it.

    Raises `ConfigurationError` where a key cannot be read or written, or where others may read the private one.
    """
    path = directory / PRIVATE_KEY_FILE
    try:
        if not path.exists():
            _create(path)
        _require_private(path)
        key = _private_key(path)
        publish_public_key(directory, key.public_key())
    except OSError as error:
        raise _unusable(Path(error.filename or path), error) from None
    return Signer(key)


def publish_public_key(directory: Path, key: Ed25519PublicKey) -> None:
    """Add a public key to the folder's key file. Raises `ConfigurationError` where that file cannot be read."""
    known = _published(directory)
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
    if known.get(key_id_of(key)) != raw:
        text = json.dumps(known | {key_id_of(key): raw}, indent=2, sort_keys=True)
        replace_file(directory / PUBLIC_KEY_FILE, text.encode())


def load_public_keys(directory: Path) -> dict[str, Ed25519PublicKey]:
    """Return the trusted public keys of a folder by key id; empty where none has been published.

    Raises `ConfigurationError` where the file cannot be read.
    """
    try:
        found = _published(directory)
        return {key_id: Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw)) for key_id, raw in found.items()}
    except OSError as error:
        raise _unusable(directory / PUBLIC_KEY_FILE, error) from None
    except ValueError:
        raise _no_public_keys(directory / PUBLIC_KEY_FILE) from None


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), private=True)


def _require_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _NOT_FOR_OTHERS:
        raise ConfigurationError([f"{path} must be closed to others, was mode {mode:04o}"], fix=f"chmod 600 {path}")


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        found = "not readable" if key is None else type(key).__name__
        raise ConfigurationError(
            [f"{path} must hold an Ed25519 private key as PEM without a password, was {found}"], fix=_FIX_PRIVATE)
    return key


def _published(directory: Path) -> dict[str, str]:
    path = directory / PUBLIC_KEY_FILE
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        raise _no_public_keys(path) from None
    if not isinstance(found, dict) or not all(isinstance(raw, str) for raw in found.values()):
        raise _no_public_keys(path)
    return found


def _no_public_keys(path: Path) -> ConfigurationError:
    return ConfigurationError([f"{path} must map key ids to Ed25519 public keys in hex, did not"], fix=_FIX_PUBLIC)


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError([f"{path} must be readable and writable for its service, was not: {error.strerror}"],
                              fix="see to the owner and the mode of the file and its folder")
