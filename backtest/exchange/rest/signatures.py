"""Signatures of requests: what is signed, and whether a signature fits.

HMAC-SHA256 in hexadecimal, RSA (PKCS#1 v1.5 with SHA-256) and Ed25519 (RFC 8032) in base64, over the same bytes.
Source: Binance, "SIGNED endpoint security" of the futures APIs; for the WebSocket API its "Request security".
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sluice.errors import ConfigurationError


class Verifier(Protocol):
    """Tells whether a signature fits."""

    def fits(self, payload: bytes, signature: str) -> bool:
        """Tell whether the owner of the key signed the payload."""
        ...


@dataclass(frozen=True, slots=True)
class HmacVerifier:
    """A shared secret."""

    secret: str = field(repr=False)

    def fits(self, payload: bytes, signature: str) -> bool:
        """Tell whether the signature is the hexadecimal HMAC-SHA256 of the payload, in either case of letters."""
        wanted = hmac.new(self.secret.encode(), payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), signature.lower().encode())


@dataclass(frozen=True, slots=True)
class PublicKeyVerifier:
    """The public half of a client's own key."""

    key: Ed25519PublicKey | RSAPublicKey

    @classmethod
    def from_pem(cls, pem: str) -> "PublicKeyVerifier":
        """Read a PEM text (SubjectPublicKeyInfo). Raises `ConfigurationError` where it holds no key of these kinds."""
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey | RSAPublicKey):
            raise ConfigurationError(["a public key must be a PEM of an Ed25519 or RSA key, was something else"],
                                     fix="give the text that starts with -----BEGIN PUBLIC KEY-----")
        return cls(key)

    @property
    def opens_sessions(self) -> bool:
        """Tell whether the key may log on to a WebSocket session: Ed25519 keys only."""
        return isinstance(self.key, Ed25519PublicKey)

    def fits(self, payload: bytes, signature: str) -> bool:
        """Tell whether the base64 signature is of the payload."""
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(raw, payload)
            else:
                self.key.verify(raw, payload, PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def rest_payload(query: str, body: str) -> bytes:
    """Return what a REST request signs: query string and body as sent, one after the other, without the signature."""
    return (_unsigned(query) + _unsigned(body)).encode(errors="surrogateescape")


def _unsigned(part: str) -> str:
    return "&".join(pair for pair in part.split("&") if not pair.startswith("signature="))


def websocket_payload(parameters: Mapping[str, str]) -> bytes:
    """Return what a WebSocket request signs: all parameters but the signature, sorted by name, as `name=value&...`."""
    named = sorted((name, value) for name, value in parameters.items() if name != "signature")
    return "&".join(f"{name}={value}" for name, value in named).encode(errors="replace")
