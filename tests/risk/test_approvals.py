"""Approvals: ids and nonces that a replay makes again, and what renewing may change."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk.approvals import (
    ApprovalIssuer,
    Fence,
    decision_id_of,
    order_bytes,
    random_nonce,
    replayable_nonce,
)
from risk.limits import HELD_BY, limits_version
from sluice.config.settings import LimitSettings, Settings
from sluice.envelope import (
    ApprovalRefused,
    ApprovedOrder,
    ExpectedAudience,
    Refusal,
    Signer,
    key_id_of,
    verify,
)
from sluice.errors import InvariantError
from sluice.risk.v1.approval_pb2 import Approval
from tests.risk.builders import NOON, decide, engine, market_order, order

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = {key_id_of(SIGNER.public_key): SIGNER.public_key}
AUDIENCE = ExpectedAudience("execution-1", "main", "BINANCE_USDM", "simulated")
ISSUER = ApprovalIssuer(SIGNER, Settings(), replayable_nonce)
FENCE = Fence(3, "limits")


def test_a_decision_id_is_the_same_for_the_same_intent_of_the_same_run_only() -> None:
    assert decision_id_of("run", "a") == decision_id_of("run", "a")
    assert len({decision_id_of("run", "a"), decision_id_of("run", "b"), decision_id_of("other", "a")}) == 3
    assert len(decision_id_of("run", "a")) == 34


def test_a_replay_makes_the_same_nonce_and_another_epoch_another_one() -> None:
    assert replayable_nonce("d-1", 1) == replayable_nonce("d-1", 1)
    assert len({replayable_nonce("d-1", 1), replayable_nonce("d-1", 2), replayable_nonce("d-2", 1)}) == 3
    assert random_nonce("d-1", 1) != random_nonce("d-1", 1)


def test_what_is_issued_verifies_and_says_what_was_counted_with() -> None:
    decision = decide(engine(), market_order())
    signed = ISSUER.issue(decision, order_bytes(decision), NOON, FENCE)
    verified = verify(signed, KEYS, AUDIENCE, NOON)
    assert isinstance(verified, ApprovedOrder)
    approval = verified.approval
    assert (approval.risk_epoch, approval.limits_version) == (3, "limits")
    assert (approval.reserved_notional, approval.max_slippage_bps) == ("5010", "20")
    assert approval.expires_at_ns == NOON + 1_500_000_000


def test_an_approval_dies_with_its_lifetime() -> None:
    decision = decide(engine(), order())
    signed = ISSUER.issue(decision, order_bytes(decision), NOON, FENCE)
    refused = verify(signed, KEYS, AUDIENCE, NOON + 1_500_000_001)
    assert isinstance(refused, ApprovalRefused)
    assert refused.refusal is Refusal.EXPIRED


def test_renewing_changes_the_epoch_and_the_nonce_and_nothing_else() -> None:
    decision = decide(engine(), order())
    old = ISSUER.issue(decision, order_bytes(decision), NOON, FENCE)
    new = ISSUER.renew(old, Fence(4, "other limits"))
    before, after = Approval.FromString(old.payload), Approval.FromString(new.payload)
    assert (after.risk_epoch, after.nonce) == (4, replayable_nonce(decision.decision_id, 4))
    after.risk_epoch, after.nonce = before.risk_epoch, before.nonce
    assert after == before
    assert isinstance(verify(new, KEYS, AUDIENCE, NOON), ApprovedOrder)


def test_a_veto_is_never_signed() -> None:
    decision = decide(engine(observed=False), order())
    try:
        ISSUER.issue(decision, order_bytes(decision), NOON, FENCE)
    except InvariantError as error:
        assert "a veto must never be signed" in error.message
    else:
        raise AssertionError("signing a veto must be refused")


def test_every_limit_is_listed_and_any_change_makes_another_version() -> None:
    fields = LimitSettings.model_fields
    assert set(HELD_BY) == set(fields)
    versions = {limits_version(LimitSettings())}
    for name, field in fields.items():
        smaller = field.default / 2 if not isinstance(field.default, int) else field.default - 1
        versions.add(limits_version(LimitSettings(**{name: smaller})))
    assert len(versions) == len(fields) + 1
