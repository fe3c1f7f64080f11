"""The approval envelope: nothing but the exact signed bytes, for us, now, is accepted."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sluice.envelope import (
    DOMAIN,
    ApprovalRefused,
    ApprovedOrder,
    ExpectedAudience,
    Refusal,
    Signer,
    client_order_id,
    verify,
)
from sluice.risk.v1.approval_pb2 import Approval, Audience, SignedApproval
from sluice.risk.v1.order_pb2 import SIDE_BUY, Order

SIGNER = Signer(Ed25519PrivateKey.generate())
KEYS = {SIGNER.key_id: SIGNER.public_key}
US = ExpectedAudience("execution-1", "main", "BINANCE_USDM", "simulated")
NOW_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


def an_approval() -> Approval:
    order = Order(instrument="BINANCE_USDM:BTCUSDT", side=SIDE_BUY, quantity="0.010", price="60000.10")
    return Approval(
        schema_version=1, order=order.SerializeToString(), decision_id="d-1", nonce=bytes(range(16)),
        audience=Audience(execution_id="execution-1", account="main", venue="BINANCE_USDM", environment="simulated"),
        issued_at_ns=NOW_NS, expires_at_ns=NOW_NS + SECOND_NS, risk_epoch=1)


def outcome(signed: SignedApproval, now_ns: int = NOW_NS) -> Refusal | None:
    answer = verify(signed, KEYS, US, now_ns)
    return answer.refusal if isinstance(answer, ApprovalRefused) else None


def test_a_good_approval_gives_the_very_order_that_was_signed() -> None:
    approved = verify(SIGNER.sign(an_approval()), KEYS, US, NOW_NS)
    assert isinstance(approved, ApprovedOrder)
    assert (approved.order.quantity, approved.order.price) == ("0.010", "60000.10")
    assert approved.approval.decision_id == "d-1"


def test_nothing_but_verify_makes_an_approved_order() -> None:
    with pytest.raises(TypeError, match="must come from verify"):
        ApprovedOrder(object(), Approval(), Order())


SIGNED = SIGNER.sign(an_approval())


@pytest.mark.parametrize("position", range(len(SIGNED.payload)))
def test_any_altered_byte_of_the_payload_is_refused(position: int) -> None:
    for bit in range(8):
        payload = bytearray(SIGNED.payload)
        payload[position] ^= 1 << bit
        altered = SignedApproval(payload=bytes(payload), signature=SIGNED.signature, key_id=SIGNED.key_id)
        assert outcome(altered) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("position", range(64))
def test_any_altered_byte_of_the_signature_is_refused(position: int) -> None:
    signature = bytearray(SIGNED.signature)
    signature[position] ^= 0xFF
    altered = SignedApproval(payload=SIGNED.payload, signature=bytes(signature), key_id=SIGNED.key_id)
    assert outcome(altered) is Refusal.BAD_SIGNATURE


def test_a_field_appended_to_the_payload_is_refused() -> None:
    more = SIGNED.payload + Approval(decision_id="d-2").SerializeToString()
    appended = SignedApproval(payload=more, signature=SIGNED.signature, key_id=SIGNED.key_id)
    assert outcome(appended) is Refusal.BAD_SIGNATURE


def test_a_signature_over_the_payload_without_the_domain_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    signer = Signer(key)
    bare = SignedApproval(payload=SIGNED.payload, signature=key.sign(SIGNED.payload), key_id=signer.key_id)
    answer = verify(bare, {signer.key_id: signer.public_key}, US, NOW_NS)
    assert isinstance(answer, ApprovalRefused)
    assert answer.refusal is Refusal.BAD_SIGNATURE
    assert DOMAIN.endswith(b"\0")


def test_a_key_that_is_not_trusted_is_refused() -> None:
    assert outcome(Signer(Ed25519PrivateKey.generate()).sign(an_approval())) is Refusal.UNKNOWN_KEY


@given(st.binary(max_size=200), st.binary(max_size=70), st.text(max_size=20))
def test_arbitrary_bytes_are_refused_and_never_crash(payload: bytes, signature: bytes, key_id: str) -> None:
    assert outcome(SignedApproval(payload=payload, signature=signature, key_id=key_id)) is not None
    assert outcome(SignedApproval(payload=payload, signature=signature, key_id=SIGNER.key_id)) is not None


@given(st.binary(min_size=1, max_size=200))
def test_signed_rubbish_is_malformed_or_refused_by_its_terms(payload: bytes) -> None:
    key = Ed25519PrivateKey.generate()
    signed = SignedApproval(payload=payload, signature=key.sign(DOMAIN + payload), key_id="k")
    assert isinstance(verify(signed, {"k": key.public_key()}, US, NOW_NS), ApprovalRefused)


def changed(change: Callable[[Approval], object]) -> SignedApproval:
    approval = an_approval()
    change(approval)
    return SIGNER.sign(approval)


TERMS: list[tuple[Callable[[Approval], object], Refusal]] = [
    (lambda approval: setattr(approval, "schema_version", 2), Refusal.SCHEMA_VERSION),
    (lambda approval: setattr(approval.audience, "execution_id", "execution-2"), Refusal.AUDIENCE),
    (lambda approval: setattr(approval.audience, "account", "other"), Refusal.AUDIENCE),
    (lambda approval: setattr(approval.audience, "venue", "BINANCE_COINM"), Refusal.AUDIENCE),
    (lambda approval: setattr(approval.audience, "environment", "live"), Refusal.AUDIENCE),
    (lambda approval: setattr(approval, "nonce", b"short"), Refusal.MALFORMED),
    (lambda approval: setattr(approval, "decision_id", ""), Refusal.MALFORMED),
    (lambda approval: setattr(approval, "expires_at_ns", NOW_NS + 2 * SECOND_NS + 1), Refusal.LIFETIME),
    (lambda approval: setattr(approval, "expires_at_ns", NOW_NS), Refusal.LIFETIME),
    (lambda approval: setattr(approval, "order", b"\xff\xff"), Refusal.MALFORMED),
]


@pytest.mark.parametrize(("change", "refusal"), TERMS)
def test_every_term_is_held(change: Callable[[Approval], object], refusal: Refusal) -> None:
    assert outcome(changed(change)) is refusal


def test_time_is_held_at_both_ends() -> None:
    signed = SIGNER.sign(an_approval())
    assert outcome(signed, NOW_NS + SECOND_NS) is None
    assert outcome(signed, NOW_NS + SECOND_NS + 1) is Refusal.EXPIRED
    assert outcome(signed, NOW_NS - SECOND_NS // 4) is None
    assert outcome(signed, NOW_NS - SECOND_NS // 4 - 1) is Refusal.NOT_YET_VALID


@given(st.text(min_size=1, max_size=100))
def test_client_order_ids_are_deterministic_and_fit_the_venue(decision_id: str) -> None:
    found = client_order_id(decision_id)
    assert found == client_order_id(decision_id)
    assert len(found) <= 36
    assert found.isalnum()
