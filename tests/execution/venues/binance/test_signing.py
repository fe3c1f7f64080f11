"""The signatures that Binance's documents print, and texts that never leave."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from execution.venues.binance.signing import (
    Ed25519Signer,
    HmacSigner,
    signed_parameters,
    signed_query,
    signer_from,
)
from sluice.config.binance import BinanceSettings
from sluice.errors import ConfigurationError

SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
PLACED = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "9000", "timeInForce": "GTC",
          "recvWindow": "5000", "timestamp": "1591702613943"}


def test_hmac_of_the_documented_request_is_the_documented_one() -> None:
    query = signed_query(PLACED, HmacSigner(SECRET))
    assert query == ("symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
                     "&timestamp=1591702613943"
                     "&signature=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9")


def test_hmac_of_query_and_body_together_is_the_documented_one() -> None:
    together = ("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
                "quantity=1&price=9000&recvWindow=5000&timestamp=1591702613943")
    assert HmacSigner(SECRET).signature(together) == "30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4"


def test_parameters_are_percent_encoded_before_they_are_signed() -> None:
    query = signed_query({"newClientOrderId": "a b/é&=", "timestamp": "1"}, HmacSigner("s"))
    assert query.startswith("newClientOrderId=a%20b%2F%C3%A9%26%3D&timestamp=1&signature=")
    assert query.endswith(HmacSigner("s").signature("newClientOrderId=a%20b%2F%C3%A9%26%3D&timestamp=1"))


def test_ed25519_signs_the_same_text_in_base64_and_its_public_half_agrees() -> None:
    key = Ed25519PrivateKey.generate()
    query = signed_query({"symbol": "BTCUSDT", "timestamp": "1"}, Ed25519Signer(key))
    assert "+" not in query
    assert query.split("signature=")[1].isascii()
    signature = base64.b64decode(Ed25519Signer(key).signature("symbol=BTCUSDT&timestamp=1"))
    key.public_key().verify(signature, b"symbol=BTCUSDT&timestamp=1")


def test_the_order_api_signs_names_in_their_alphabetical_order() -> None:
    signed = signed_parameters({"timestamp": "2", "apiKey": "k", "symbol": "B"}, HmacSigner("s"))
    assert signed["signature"] == HmacSigner("s").signature("apiKey=k&symbol=B&timestamp=2")


def test_secrets_do_not_show() -> None:
    settings = BinanceSettings.model_validate({"api_key": "the-key", "api_secret": SECRET})
    assert SECRET not in repr(settings)
    assert SECRET not in repr(signer_from(settings))
    assert "the-key" not in repr(settings)


def test_what_is_wrong_with_a_key_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="api_key must be set"):
        signer_from(BinanceSettings())
    with pytest.raises(ConfigurationError, match="was neither"):
        signer_from(BinanceSettings.model_validate({"api_key": "k"}))
    path = tmp_path / "key.pem"
    settings = BinanceSettings.model_validate({"api_key": "k", "ed25519_key_file": path})
    with pytest.raises(ConfigurationError, match="must be readable"):
        signer_from(settings)
    rsa = generate_private_key(65537, 2048)
    for raw in (b"nonsense", rsa.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption())):
        path.write_bytes(raw)
        with pytest.raises(ConfigurationError, match="must hold an Ed25519 private key"):
            signer_from(settings)
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    assert isinstance(signer_from(settings), Ed25519Signer)
