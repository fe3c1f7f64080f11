"""Key files: made whole and private or not at all, and one clear sentence where something is wrong with them."""

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.errors import ConfigurationError
from sluice.files import replace_file
from sluice.keys import PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, load_or_create_signer, load_public_keys, publish_public_key

PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)


def private_file(folder: Path, content: bytes) -> Path:
    path = folder / PRIVATE_KEY_FILE
    replace_file(path, content, private=True)
    return path


def test_a_key_is_made_once_kept_private_and_published(tmp_path: Path) -> None:
    first, second = load_or_create_signer(tmp_path / "keys"), load_or_create_signer(tmp_path / "keys")
    assert first.key_id == second.key_id
    assert (tmp_path / "keys" / PRIVATE_KEY_FILE).stat().st_mode & 0o077 == 0
    assert list(load_public_keys(tmp_path / "keys")) == [first.key_id]
    assert load_public_keys(tmp_path) == {}


def test_a_crash_while_the_key_is_written_leaves_no_key_and_the_next_start_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            load_or_create_signer(tmp_path)
    assert not (tmp_path / PRIVATE_KEY_FILE).exists()
    (tmp_path / "risk_signing_key.tmp").chmod(0o644)
    assert list(load_public_keys(tmp_path)) == []
    assert load_or_create_signer(tmp_path).key_id in load_public_keys(tmp_path)
    assert (tmp_path / PRIVATE_KEY_FILE).stat().st_mode & 0o077 == 0


def wrong_keys() -> list[bytes]:
    encrypted = serialization.BestAvailableEncryption(b"password")
    whole = Ed25519PrivateKey.generate().private_bytes(*PEM, serialization.NoEncryption())
    return [
        b"", b"\x00\xff", whole[: len(whole) // 2], Ed25519PrivateKey.generate().private_bytes(*PEM, encrypted),
        X25519PrivateKey.generate().private_bytes(*PEM, serialization.NoEncryption())]


@pytest.mark.parametrize("content", wrong_keys(), ids=["empty", "binary", "cut", "encrypted", "another kind"])
def test_a_private_key_that_is_none_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    path = private_file(tmp_path, content)
    with pytest.raises(ConfigurationError, match="must hold an Ed25519 private key") as caught:
        load_or_create_signer(tmp_path)
    assert str(path) in caught.value.message
    assert path.read_bytes() == content
    for line in content.decode(errors="replace").splitlines():
        assert line not in caught.value.message


@pytest.mark.parametrize(
    ("mode", "good"), [(0o600, True), (0o400, True), (0o440, True), (0o644, False), (0o660, False)])
def test_a_private_key_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int, good: bool) -> None:
    load_or_create_signer(tmp_path)
    (tmp_path / PRIVATE_KEY_FILE).chmod(mode)
    if good:
        load_or_create_signer(tmp_path)
        return
    with pytest.raises(ConfigurationError, match=f"must be closed to others, was mode {mode:04o}") as caught:
        load_or_create_signer(tmp_path)
    assert caught.value.fix.startswith("chmod 600")


def test_a_key_folder_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(ConfigurationError, match="must be readable and writable"):
        load_or_create_signer(tmp_path / "keys")


RUBBISH = [b"", b"{", b"[]", b"5", b'{"a": 5}', b'{"a": "zz"}', b'{"a": "00"}', b"\xff"]


@pytest.mark.parametrize("content", RUBBISH)
def test_public_keys_that_cannot_be_read_are_a_configuration_error_and_stay(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PUBLIC_KEY_FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match="must map key ids"):
        load_public_keys(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.text(), inner)).map(lambda value: json.dumps(value).encode()))
def test_any_content_of_the_public_key_file_gives_keys_or_a_configuration_error(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / PUBLIC_KEY_FILE).write_bytes(content)
    try:
        assert isinstance(load_public_keys(tmp_path), dict)
    except ConfigurationError as error:
        assert error.fix


def test_keys_that_are_published_already_stay(tmp_path: Path) -> None:
    first = load_or_create_signer(tmp_path)
    other = Ed25519PrivateKey.generate().public_key()
    publish_public_key(tmp_path, other)
    assert len(load_public_keys(tmp_path)) == 2
    assert first.key_id in load_public_keys(tmp_path)
