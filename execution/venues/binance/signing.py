"""Signed requests: the exact text that is signed, and the keys that sign it.

REST signs the percent-encoded parameters as they are sent, the signature being the last of them; the WebSocket order
API signs every parameter but the signature as `name=value` sorted by name. HMAC is SHA-256 in hexadecimal, Ed25519 is
RFC 8032 in base64. Secrets never show in a repr.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sluice.config.binance import BinanceSettings
from sluice.errors import ConfigurationError

Parameters = Mapping[str, str]


class RequestSigner(Protocol):
    """Signs the text of a request."""

    def signature(self, payload: str) -> str:
        """Return the signature of a text, not yet percent-encoded."""
        ...


class HmacSigner:
    """Signs by HMAC-SHA256 with the key's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def signature(self, payload: str) -> str:
        """Return the signature in hexadecimal."""
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()


class Ed25519Signer:
    """Signs by Ed25519 with a private key whose public half the exchange knows."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def signature(self, payload: str) -> str:
        """Return the signature in base64."""
        return base64.b64encode(self._key.sign(payload.encode())).decode()


def query_of(parameters: Parameters) -> str:
    """Return parameters as a percent-encoded query, in their order."""
    return urlencode(parameters, quote_via=quote)


def signed_query(parameters: Parameters, signer: RequestSigner) -> str:
    """Return the query of a signed REST request."""
    query = query_of(parameters)
    return f"{query}&signature={quote(signer.signature(query), safe='')}"


def signed_parameters(parameters: Parameters, signer: RequestSigner) -> dict[str, str]:
    """Return the parameters of a signed request of the WebSocket order API."""
    payload = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    return {**parameters, "signature": signer.signature(payload)}


def signer_from(settings: BinanceSettings) -> RequestSigner:
    """Return what signs by the configuration. Raises `ConfigurationError` where there is no key, or no usable one."""
    if not settings.api_key.get_secret_value():
        raise ConfigurationError(["binance.api_key must be set for the venue binance, was empty"],
                                 fix="set SLUICE_BINANCE__API_KEY")
    if settings.ed25519_key_file is not None:
        return Ed25519Signer(_read_key(settings.ed25519_key_file))
    if not settings.api_secret.get_secret_value():
        raise ConfigurationError(["binance.api_secret or binance.ed25519_key_file must be set, was neither"],
                                 fix="set SLUICE_BINANCE__API_SECRET, or name the file of the private key")
    return HmacSigner(settings.api_secret.get_secret_value())


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError([f"binance.ed25519_key_file must be readable, was not: {path} ({error.strerror})"],
                                 fix="correct the path, or the owner and mode of the file") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _no_key(path) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def _no_key(path: Path) -> ConfigurationError:
    return ConfigurationError(
        [f"binance.ed25519_key_file must hold an Ed25519 private key as PEM without a password, {path} does not"],
        fix="make one with `openssl genpkey -algorithm ed25519`, and give its public half to the exchange")
