"""Signatures: the known answers of the venue's documentation, and every kind of key over the same bytes."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.rest.signatures import HmacVerifier, PublicKeyVerifier, rest_payload, websocket_payload
from sluice.errors import ConfigurationError

SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
WHOLE = ("symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
         "&timestamp=1591702613943")
WHOLE_SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def pem_of(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(("query", "body"), [(WHOLE, ""), ("", WHOLE)])
def test_the_documented_request_has_the_documented_signature_in_query_and_in_body(query: str, body: str) -> None:
    assert HmacVerifier(SECRET).fits(rest_payload(query, body), WHOLE_SIGNATURE)


def test_a_mixed_request_signs_query_and_body_without_anything_between() -> None:
    query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
    body = "quantity=1&price=9000&recvWindow=5000&timestamp=1591702613943"
    signature = "30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4"
    assert HmacVerifier(SECRET).fits(rest_payload(query, f"{body}&signature={signature}"), signature)


@pytest.mark.parametrize("signature", ["", "0" * 64, WHOLE_SIGNATURE[:-1], WHOLE_SIGNATURE + "0", "é" * 64])
def test_another_signature_does_not_fit(signature: str) -> None:
    assert not HmacVerifier(SECRET).fits(rest_payload(WHOLE, ""), signature)


def test_an_ed25519_signature_fits_only_the_bytes_that_were_signed() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    verifier = PublicKeyVerifier.from_pem(pem_of(key))
    signature = base64.b64encode(key.sign(WHOLE.encode())).decode()
    assert verifier.fits(WHOLE.encode(), signature)
    assert verifier.opens_sessions
    assert not verifier.fits(WHOLE.encode() + b"0", signature)
    assert not verifier.fits(WHOLE.encode(), "no base64 at all")


def test_an_rsa_signature_fits_and_opens_no_session() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    verifier = PublicKeyVerifier.from_pem(pem_of(key))
    signature = base64.b64encode(key.sign(WHOLE.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    assert verifier.fits(WHOLE.encode(), signature)
    assert not verifier.opens_sessions
    assert not verifier.fits(b"", signature)


def test_what_is_no_public_key_is_refused_with_a_fix() -> None:
    with pytest.raises(ConfigurationError, match="must be a PEM") as caught:
        PublicKeyVerifier.from_pem("not a key")
    assert "BEGIN PUBLIC KEY" in caught.value.fix


def test_a_websocket_request_signs_its_parameters_by_name() -> None:
    sent = {"timestamp": "2", "apiKey": "k", "signature": "x", "reduceOnly": "true"}
    assert websocket_payload(sent) == b"apiKey=k&reduceOnly=true&timestamp=2"


@given(st.binary(max_size=200), st.text(max_size=200))
def test_no_text_breaks_a_verifier(payload: bytes, signature: str) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert not PublicKeyVerifier.from_pem(pem_of(key)).fits(payload, signature)
    assert not HmacVerifier(SECRET).fits(payload, signature)
